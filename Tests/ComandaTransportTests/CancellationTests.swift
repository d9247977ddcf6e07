import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Deadlines and cancellation", .timeLimit(.minutes(10)))
struct CancellationTests {
  private static let hang = MethodDescriptor.test("Hang")
  private static let hangStream = MethodDescriptor.test("HangStream", .bidirectionalStreaming)

  /// What became of a handler that would wait for ever.
  private enum Trace: Equatable {
    case started
    case ended(isCancelled: Bool)
  }

  private static func hanging(_ trace: Events<Trace>) -> RPCMethod {
    .unary(hang) { (request: ByteBuffer, _) in
      trace.post(.started)
      defer { trace.post(.ended(isCancelled: Task.isCancelled)) }
      try await Task.sleep(for: .seconds(3_600))
      return request
    }
  }

  /// Sends one response, then waits for requests that never come.
  private static func hangingStream(_ trace: Events<Trace>) -> RPCMethod {
    .bidirectionalStreaming(hangStream) {
      (requests: RequestStream<ByteBuffer>, responses: ResponseWriter<ByteBuffer>, _) in
      trace.post(.started)
      defer { trace.post(.ended(isCancelled: Task.isCancelled)) }
      try await responses.send(ByteBuffer(string: "first"))
      for try await request in requests { try await responses.send(request) }
    }
  }

  /// A client that is connected: only the call's own way counts for a deadline that its handler must live to see.
  private static func connectedClient(_ loopback: Loopback) async throws -> ClientChannel {
    let client = try loopback.client()
    _ = try await client.echo()
    return client
  }

  @Test("a deadline that passes is DEADLINE_EXCEEDED for the caller, and cancels the handler")
  func deadline() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hanging(trace), .echo) { loopback in
      let client = try await Self.connectedClient(loopback)
      let error = await rpcError {
        try await client.unary(Self.hang, ByteBuffer(), options: CallOptions(timeout: .seconds(1)))
      }
      #expect(error?.code == .deadlineExceeded)
      #expect(await trace.next() == .started)
      #expect(await trace.next() == .ended(isCancelled: true))
    }
  }

  @Test("calls after one that was cancelled run in tasks that are not")
  func afterCancellation() async throws {
    let trace = Events<Trace>()
    let asking = MethodDescriptor.test("AmICancelled")
    let answering = RPCMethod.unary(asking) { (_: ByteBuffer, _) in ByteBuffer(string: "\(Task.isCancelled)") }
    try await withLoopback(Self.hanging(trace), answering, threads: 1) { loopback in
      let client = try loopback.client()
      for _ in 0..<5 {
        let task = Task { try await client.unary(Self.hang, ByteBuffer(), options: CallOptions()) }
        #expect(await trace.next() == .started)
        task.cancel()
        #expect(await rpcError { try await task.value }?.code == .cancelled)
        #expect(await trace.next() == .ended(isCancelled: true))
        let answer = try await client.unary(asking, ByteBuffer(), options: CallOptions())
        #expect(String(buffer: answer) == "false")
      }
    }
  }

  @Test("a deadline that passes ends a stream at both sides")
  func streamDeadline() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hangingStream(trace), .echo) { loopback in
      let call = try await Self.connectedClient(loopback).start(
        Self.hangStream, request: nil, options: CallOptions(timeout: .seconds(2)))
      #expect(try await call.next() == ByteBuffer(string: "first"))
      #expect(await rpcError { try await call.next() }?.code == .deadlineExceeded)
      #expect(await rpcError { try await call.send(ByteBuffer()) }?.code == .deadlineExceeded)
      #expect(await trace.next() == .started)
      #expect(await trace.next() == .ended(isCancelled: true))
    }
  }

  @Test("the earliest of many deadlines is not held up by later ones")
  func manyDeadlines() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hanging(trace)) { loopback in
      let client = try loopback.client()
      let start = ContinuousClock.now
      await withTaskGroup(of: Void.self) { group in
        for milliseconds in [3_000_000, 40, 20, 60_000, 30] {
          group.addTask {
            _ = try? await client.unary(
              Self.hang, ByteBuffer(), options: CallOptions(timeout: .milliseconds(milliseconds)))
          }
        }
        for _ in 0..<3 { await group.next() }
        group.cancelAll()
      }
      #expect(ContinuousClock.now - start < .seconds(20))
    }
  }

  @Test("a caller whose task is cancelled is CANCELLED, and so is its handler")
  func callerCancelled() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hanging(trace)) { loopback in
      let client = try loopback.client()
      let task = Task { try await client.unary(Self.hang, ByteBuffer(), options: CallOptions()) }
      #expect(await trace.next() == .started)
      task.cancel()
      #expect(await rpcError { try await task.value }?.code == .cancelled)
      #expect(await trace.next() == .ended(isCancelled: true))
    }
  }

  @Test("a call of a task that is cancelled already does not reach its handler's end")
  func cancelledBefore() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hanging(trace), .echo) { loopback in
      let client = try loopback.client()
      #expect(try await client.echo() == "hello")
      let task = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await client.unary(Self.hang, ByteBuffer(), options: CallOptions())
      }
      #expect(await rpcError { try await task.value }?.code == .cancelled)
    }
  }

  @Test("a stream that its caller cancels, or forgets, cancels its handler", arguments: [true, false])
  func streamGivenUp(byCancelling: Bool) async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hangingStream(trace)) { loopback in
      let client = try loopback.client()
      var call: (any ClientCall)? = try await client.start(Self.hangStream, request: nil, options: CallOptions())
      #expect(await trace.next() == .started)
      if byCancelling {
        #expect(try await call?.next() == ByteBuffer(string: "first"))
        call?.cancel()
        let kept = call
        #expect(await rpcError { try await kept?.next() }?.code == .cancelled)
      }
      call = nil
      #expect(await trace.next() == .ended(isCancelled: true))
    }
  }

  @Test("a reader whose task is cancelled gives its stream up")
  func readerCancelled() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hangingStream(trace)) { loopback in
      let call = try await loopback.client().start(Self.hangStream, request: nil, options: CallOptions())
      let reading = Events<Void>()
      let task = Task {
        _ = try await call.next()
        reading.post()
        _ = try await call.next()
      }
      await reading.next()
      task.cancel()
      #expect(await rpcError { try await task.value }?.code == .cancelled)
      #expect(await trace.next() == .started)
      #expect(await trace.next() == .ended(isCancelled: true))
    }
  }

  @Test("a call that the server terminates ends with the server's error, and its handler is cancelled")
  func terminated() async throws {
    let trace = Events<Trace>()
    let contexts = Events<ServerContext>()
    let serving = RPCMethod.unary(Self.hang) { (request: ByteBuffer, context) in
      contexts.post(context)
      defer { trace.post(.ended(isCancelled: Task.isCancelled)) }
      try await Task.sleep(for: .seconds(3_600))
      return request
    }
    try await withLoopback(serving) { loopback in
      let client = try loopback.client()
      async let error = rpcError { try await client.unary(Self.hang, ByteBuffer(), options: CallOptions()) }
      let context = await contexts.next()
      context?.terminate(with: RPCError(.unauthenticated, "the token was revoked"))
      #expect(await error == RPCError(.unauthenticated, "the token was revoked"))
      #expect(await trace.next() == .ended(isCancelled: true))
      context?.terminate(with: RPCError(.unauthenticated, "again, to no effect"))
    }
  }

  @Test("a client that goes away cancels its handlers")
  func clientGone() async throws {
    let trace = Events<Trace>()
    try await withLoopback(Self.hanging(trace)) { loopback in
      let client = try loopback.client()
      let task = Task { try await client.unary(Self.hang, ByteBuffer(), options: CallOptions()) }
      #expect(await trace.next() == .started)
      try await client.close()
      #expect(await rpcError { try await task.value }?.code == .cancelled)
      #expect(await trace.next() == .ended(isCancelled: true))
    }
  }

  @Test("a response that comes late for its deadline is not sent")
  func lateResponse() async throws {
    let release = Events<Void>()
    let ended = Events<Void>()
    let stubborn = MethodDescriptor.test("Stubborn")
    let serving = RPCMethod.unary(stubborn) { (request: ByteBuffer, _) in
      await Task.detached { await release.next() }.value
      ended.post()
      return request
    }
    try await withLoopback(serving, .echo) { loopback in
      let client = try await Self.connectedClient(loopback)
      let error = await rpcError {
        try await client.unary(stubborn, ByteBuffer(), options: CallOptions(timeout: .seconds(1)))
      }
      #expect(error?.code == .deadlineExceeded)
      release.post()
      await ended.next()
      #expect(try await client.echo() == "hello")
    }
  }

  @Test("a deadline holds while the connection is being made")
  func deadlineWhileConnecting() async throws {
    let silent = try await SilentListener()
    let client = try ClientChannel(
      target: ClientChannel.Target(host: "127.0.0.1", port: silent.port),
      tls: .client(trust: certificates.get().trust), settings: .patient)
    let start = ContinuousClock.now
    let error = await rpcError {
      try await client.unary(.echo, ByteBuffer(), options: CallOptions(timeout: .milliseconds(50)))
    }
    #expect(error?.code == .deadlineExceeded)
    #expect(error?.isRejected == true)
    let task = Task { try await client.echo() }
    task.cancel()
    #expect(await rpcError { try await task.value }?.code == .cancelled)
    // Far less than the ten minutes that a connection may take here.
    #expect(ContinuousClock.now - start < .seconds(120))
    try await client.close()
    try await silent.close()
  }
}

extension ClientSettings {
  /// Lets a connection take so long that nothing but a deadline can end the wait for it.
  fileprivate static var patient: ClientSettings {
    var settings = ClientSettings()
    settings.connectTimeout = .minutes(10)
    return settings
  }
}
