import ComandaRPC
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("Handlers on their event loop", .timeLimit(.minutes(10)))
struct LoopExecutorTests {
  private static let spin = MethodDescriptor.test("Spin")

  @Test("a handler runs on an event loop, before and after it waited")
  func onLoop() async throws {
    let method = MethodDescriptor.test("Where")
    let serving = RPCMethod.unary(method) { (_: ByteBuffer, _) in
      let before = MultiThreadedEventLoopGroup.currentEventLoop
      try await Task.sleep(for: .milliseconds(1))
      await Task.yield()
      let after = MultiThreadedEventLoopGroup.currentEventLoop
      return ByteBuffer(string: "\(before != nil && before === after)")
    }
    try await withLoopback(serving) { loopback in
      let answer = try await loopback.client().unary(method, ByteBuffer(), options: CallOptions())
      #expect(String(buffer: answer) == "true")
    }
  }

  @Test("handlers that yield in a loop do not starve the calls of other connections, or of their own")
  func yielding() async throws {
    let started = Events<Void>()
    let spinning = RPCMethod.unary(Self.spin) { (request: ByteBuffer, _) in
      started.post()
      while !Task.isCancelled { await Task.yield() }
      return request
    }
    try await withLoopback(spinning, .echo, threads: 1) { loopback in
      let (first, second) = (try loopback.client(), try loopback.client())
      await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<3 {
          group.addTask { _ = try await first.unary(Self.spin, ByteBuffer(), options: CallOptions()) }
        }
        for _ in 0..<3 { await started.next() }
        for client in [first, second] {
          for _ in 0..<50 { #expect((try? await client.echo()) == "hello") }
        }
        group.cancelAll()
      }
    }
  }

  /// Notes how many jobs ran between two ends of ticks. Confined to its loop.
  private final class TickCounter: TickFlushable, @unchecked Sendable {
    private let executor: LoopExecutor
    private var jobs = 0
    private(set) var mostInTick = 0

    init(_ executor: LoopExecutor) {
      self.executor = executor
    }

    func ran() {
      if jobs == 0 { executor.flush(self) }
      jobs += 1
    }

    func flushAtTickEnd() {
      mostInTick = max(mostInTick, jobs)
      jobs = 0
    }
  }

  @Test("a tick ends after the first job that took its time, and after many that did not")
  func ticks() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let loop = group.next()
    let executor = LoopExecutor(eventLoop: loop)
    let counter = TickCounter(executor)
    func most(of count: Int, taking time: TimeAmount) async throws -> Int {
      let tasks = try await loop.submit {
        (0..<count).map { _ in
          Task(executorPreference: executor) {
            counter.ran()
            let end = NIODeadline.now() + time
            while NIODeadline.now() < end {}
          }
        }
      }.get()
      for task in tasks { await task.value }
      return try await loop.submit { counter.mostInTick }.get()
    }
    #expect(try await most(of: 40, taking: .milliseconds(3)) == 1)
    #expect(try await most(of: 40, taking: .zero) > 1)
    try await group.shutdownGracefully()
  }

  @Test("handlers that compute let the loop read between them: calls that were given up meanwhile do not begin")
  func computing() async throws {
    let method = MethodDescriptor.test("Compute")
    let begun = Atomic<Int>(0)
    let computing = RPCMethod.unary(method) { (request: ByteBuffer, _) in
      begun.add(1, ordering: .relaxed)
      let end = NIODeadline.now() + .milliseconds(50)
      while NIODeadline.now() < end {}
      return request
    }
    try await withLoopback(computing, .echo, threads: 1) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      let open = Open(method: method.path, message: ByteBuffer(), endStream: true)
      try await peer.send((1...60).map { .open($0, open) })
      #expect(await peer.nextOfCall() == .response(1, ByteBuffer()))
      try await peer.send((2...60).map { .reset($0, .cancelled) })
      #expect(try await loopback.client().echo() == "hello")
      #expect(begun.load(ordering: .relaxed) < 60)
    }
  }

  @Test("handlers that sleep are many at a time")
  func sleeping() async throws {
    let method = MethodDescriptor.test("Nap")
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, _) in
      try await Task.sleep(for: .milliseconds(500))
      return request
    }
    try await withLoopback(serving, threads: 1) { loopback in
      let client = try loopback.client()
      let options = CallOptions(timeout: .seconds(90))
      let start = ContinuousClock.now
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<200 {
          group.addTask { _ = try await client.unary(method, ByteBuffer(), options: options) }
        }
        try await group.waitForAll()
      }
      // One after the other they would take 100 seconds.
      #expect(ContinuousClock.now - start < .seconds(60))
    }
  }

  @Test("a handler that waits for other threads is resumed on its loop")
  func foreignResume() async throws {
    let method = MethodDescriptor.test("Hop")
    let serving = RPCMethod.unary(method) { (_: ByteBuffer, _) in
      var hops = 0
      for number in 0..<100 {
        hops += await Task.detached { number }.value == number ? 1 : 0
        if MultiThreadedEventLoopGroup.currentEventLoop == nil { hops = -1_000 }
      }
      return ByteBuffer(string: "\(hops)")
    }
    try await withLoopback(serving, threads: 1) { loopback in
      let client = try loopback.client()
      try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<20 {
          group.addTask { String(buffer: try await client.unary(method, ByteBuffer(), options: CallOptions())) }
        }
        for try await answer in group { #expect(answer == "100") }
      }
    }
  }

  @Test("a streaming handler that chose another executor still reads and writes its call")
  func otherExecutor() async throws {
    let method = MethodDescriptor.test("Elsewhere", .bidirectionalStreaming)
    let serving = RPCMethod.bidirectionalStreaming(method) {
      (requests: RequestStream<ByteBuffer>, responses: ResponseWriter<ByteBuffer>, _) in
      try await withTaskExecutorPreference(globalConcurrentExecutor) {
        for try await request in requests { try await responses.send(request) }
      }
    }
    try await withLoopback(serving) { loopback in
      let call = try await loopback.client().start(method, request: nil, options: CallOptions())
      for number in 0..<100 {
        try await call.send(ByteBuffer(integer: number))
        #expect(try await call.next() == ByteBuffer(integer: number))
      }
      try await call.halfClose()
      #expect(try await call.next() == nil)
    }
  }
}
