import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Calls over TLS", .timeLimit(.minutes(10)))
struct CallTests {
  private static let collect = MethodDescriptor.test("Collect", .clientStreaming)
  private static let count = MethodDescriptor.test("Count", .serverStreaming)
  private static let chat = MethodDescriptor.test("Chat", .bidirectionalStreaming)

  private static let collecting = RPCMethod.clientStreaming(collect) { (requests: RequestStream<ByteBuffer>, _) in
    var bytes = 0
    for try await request in requests { bytes += request.readableBytes }
    return ByteBuffer(integer: UInt64(bytes))
  }

  private static let counting = RPCMethod.serverStreaming(count) {
    (request: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
    for number in 0..<(request.getInteger(at: request.readerIndex, as: UInt32.self) ?? 0) {
      try await responses.send(ByteBuffer(integer: number))
    }
  }

  private static let chatting = RPCMethod.bidirectionalStreaming(chat) {
    (requests: RequestStream<ByteBuffer>, responses: ResponseWriter<ByteBuffer>, _) in
    for try await request in requests { try await responses.send(request) }
  }

  @Test("a unary call answers", arguments: [0, 1, 16_000, 16_375, 16_376, 1 << 20, 4 << 20])
  func unary(bytes: Int) async throws {
    try await withLoopback(.echo) { loopback in
      let request = ByteBuffer(bytes: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      let response = try await loopback.client().unary(.echo, request, options: CallOptions())
      #expect(response == request)
    }
  }

  @Test("a client streams requests and gets one response")
  func clientStreaming() async throws {
    try await withLoopback(Self.collecting) { loopback in
      let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await loopback.client().clientStreaming(
        Self.collect, options: CallOptions())
      for count in 0..<100 { try await call.send(ByteBuffer(repeating: 1, count: count * 300)) }
      #expect(try await call.finish() == ByteBuffer(integer: UInt64(4_950 * 300)))
    }
  }

  @Test("a client that streams nothing gets its response")
  func emptyClientStream() async throws {
    try await withLoopback(Self.collecting) { loopback in
      let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await loopback.client().clientStreaming(
        Self.collect, options: CallOptions())
      #expect(try await call.finish() == ByteBuffer(integer: UInt64(0)))
    }
  }

  @Test("a server streams responses, in order, to the last", arguments: [UInt32(0), 1, 2_000])
  func serverStreaming(count: UInt32) async throws {
    try await withLoopback(Self.counting) { loopback in
      let responses: ResponseStream<ByteBuffer> = try await loopback.client().serverStreaming(
        Self.count, ByteBuffer(integer: count), options: CallOptions())
      var next: UInt32 = 0
      for try await response in responses {
        #expect(response == ByteBuffer(integer: next))
        next += 1
      }
      #expect(next == count)
    }
  }

  @Test("both sides stream, each message an answer to the one before")
  func pingPong() async throws {
    try await withLoopback(Self.chatting) { loopback in
      let call: BidirectionalCall<ByteBuffer, ByteBuffer> = try await loopback.client().bidirectionalStreaming(
        Self.chat, options: CallOptions())
      var responses = call.responses.makeAsyncIterator()
      for number in 0..<200 {
        try await call.send(ByteBuffer(integer: number))
        #expect(try await responses.next() == ByteBuffer(integer: number))
      }
      try await call.finishRequests()
      #expect(try await responses.next() == nil)
    }
  }

  @Test("a thousand calls at once, more than the server takes at a time, all answer")
  func thousand() async throws {
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client()
      let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
        for number in 0..<1_000 { group.addTask { (number, try await client.echo("\(number)")) } }
        return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
      }
      #expect(answers.count == 1_000)
      #expect(answers.allSatisfy { "\($0)" == $1 })
    }
  }

  @Test("messages and metadata of every field reach the other side")
  func metadata() async throws {
    let method = MethodDescriptor.test("Meta", .serverStreaming)
    let serving = RPCMethod.serverStreaming(method) {
      (request: ByteBuffer, responses: ResponseWriter<ByteBuffer>, context) in
      context.sendInitialMetadata(["got": context.metadata["ask"] ?? "nothing"])
      context.setTrailers(["rows": "2", "shop": "寿司"])
      try await responses.send(request)
    }
    try await withLoopback(serving) { loopback in
      let call = try await loopback.client().start(
        method, request: ByteBuffer(string: "x"), options: CallOptions(metadata: ["ask": "日本"]))
      #expect(try await call.initialMetadata == ["got": "日本"])
      #expect(try await call.next() == ByteBuffer(string: "x"))
      #expect(try await call.next() == nil)
      #expect(await call.trailers == ["rows": "2", "shop": "寿司"])
    }
  }

  @Test("initial metadata is empty when the server sends none, and known once the first response is")
  func noMetadata() async throws {
    try await withLoopback(Self.chatting) { loopback in
      let call = try await loopback.client().start(Self.chat, request: nil, options: CallOptions())
      try await call.send(ByteBuffer(string: "x"))
      #expect(try await call.initialMetadata.isEmpty)
    }
  }

  @Test("a connection's credential reaches its calls, and a call's own one too")
  func credentials() async throws {
    let method = MethodDescriptor.test("WhoAmI")
    let serving = RPCMethod.unary(method) { (_: ByteBuffer, context) in
      let connection = context.connection.credential ?? "none"
      return ByteBuffer(string: "\(connection), \(context.metadata["authorization"] ?? "none")")
    }
    try await withLoopback(serving) { loopback in
      let client = try loopback.client(credential: "connection-token")
      let shared = try await client.unary(method, ByteBuffer(), options: CallOptions())
      #expect(String(buffer: shared) == "connection-token, none")
      let own = try await client.unary(method, ByteBuffer(), options: CallOptions(credential: "call-token"))
      #expect(String(buffer: own) == "connection-token, Bearer call-token")
      let nobody = try await loopback.client().unary(method, ByteBuffer(), options: CallOptions())
      #expect(String(buffer: nobody) == "none, none")
    }
  }

  @Test("a handler knows its caller's address and its deadline")
  func context() async throws {
    let method = MethodDescriptor.test("Context")
    let serving = RPCMethod.unary(method) { (_: ByteBuffer, context) in
      let left = context.deadline.map { (ContinuousClock.now.duration(to: $0)) / .milliseconds(1) }
      return ByteBuffer(
        string: "\(context.connection.remoteAddress.prefix(10)) \(left.map { "\(10...30 ~= $0 / 1_000)" } ?? "none")")
    }
    try await withLoopback(serving) { loopback in
      let client = try loopback.client()
      let limited = try await client.unary(method, ByteBuffer(), options: CallOptions(timeout: .seconds(30)))
      #expect(String(buffer: limited) == "127.0.0.1: true")
      let unlimited = try await client.unary(method, ByteBuffer(), options: CallOptions())
      #expect(String(buffer: unlimited) == "127.0.0.1: none")
    }
  }

  @Test("a method's default deadline holds when the caller names none")
  func defaultDeadline() async throws {
    let method = MethodDescriptor.test("Slow", defaultDeadline: .milliseconds(20))
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, _) in
      try await Task.sleep(for: .seconds(60))
      return request
    }
    try await withLoopback(serving) { loopback in
      let client = try loopback.client()
      let error = await rpcError { try await client.unary(method, ByteBuffer(), options: CallOptions()) }
      #expect(error?.code == .deadlineExceeded)
    }
  }
}
