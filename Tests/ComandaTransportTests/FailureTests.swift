import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Calls that fail", .timeLimit(.minutes(10)))
struct FailureTests {
  private struct Secret: Error {
    let sql = "SELECT secret"
  }

  private struct Known: Error {}

  @Test("what a handler throws is the caller's error, with its details and trailers")
  func thrown() async throws {
    let method = MethodDescriptor.test("Fail")
    let failure = RPCError(
      .failedPrecondition, "the order is delivered; it cannot be cancelled", details: [1, 2, 3], trailers: ["k": "v"])
    let serving = RPCMethod.unary(method) { (_: ByteBuffer, _) -> ByteBuffer in throw failure }
    try await withLoopback(serving) { loopback in
      let client = try loopback.client()
      #expect(await rpcError { try await client.unary(method, ByteBuffer(), options: CallOptions()) } == failure)
    }
  }

  @Test("a streaming handler's error comes after what it sent")
  func thrownAfterMessages() async throws {
    let method = MethodDescriptor.test("Fail", .serverStreaming)
    let serving = RPCMethod.serverStreaming(method) {
      (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
      for number in 0..<50 { try await responses.send(ByteBuffer(integer: number)) }
      throw RPCError(.aborted, "half way")
    }
    try await withLoopback(serving) { loopback in
      let call = try await loopback.client().start(method, request: ByteBuffer(), options: CallOptions())
      for number in 0..<50 { #expect(try await call.next() == ByteBuffer(integer: number)) }
      #expect(await rpcError { try await call.next() } == RPCError(.aborted, "half way"))
    }
  }

  @Test("an error that the layers below know is mapped; any other is INTERNAL, and its text stays in the log")
  func mapping() async throws {
    let method = MethodDescriptor.test("Fail")
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, _) -> ByteBuffer in
      if request.readableBytes > 0 { throw Known() }
      throw Secret()
    }
    let mapping: CallDispatcher.ErrorMapping = { $0 is Known ? RPCError(.notFound, "no such order") : nil }
    try await withLoopback(serving, mapping: mapping) { loopback in
      let client = try loopback.client()
      let known = await rpcError { try await client.unary(method, ByteBuffer(string: "x"), options: CallOptions()) }
      #expect(known == RPCError(.notFound, "no such order"))
      let unknown = await rpcError { try await client.unary(method, ByteBuffer(), options: CallOptions()) }
      #expect(unknown?.code == .internal)
      #expect(unknown?.message.contains("SELECT") == false)
      #expect(unknown?.message.contains("Secret") == false)
    }
  }

  @Test("a method that is not there is UNIMPLEMENTED, and the message names those that are")
  func unknownMethod() async throws {
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client()
      let error = await rpcError { try await client.unary(.test("Ecko"), ByteBuffer(), options: CallOptions()) }
      #expect(error?.code == .unimplemented)
      #expect(error?.message.contains("Echo") == true)
      let stream = await rpcError {
        let call = try await client.start(
          .test("Nope", .serverStreaming), request: ByteBuffer(), options: CallOptions())
        return try await call.next()
      }
      #expect(stream?.code == .unimplemented)
      #expect(try await client.echo() == "hello")
    }
  }

  @Test(
    "a request over the server's limit is refused before it is sent; its call may be made smaller, and others go on")
  func requestTooLarge() async throws {
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client()
      let large = ByteBuffer(repeating: 0, count: (4 << 20) + 1)
      let error = await rpcError { try await client.unary(.echo, large, options: CallOptions()) }
      #expect(error?.code == .resourceExhausted)
      #expect(error?.message.contains("4194304") == true)
      #expect(try await client.echo() == "hello")
    }
  }

  @Test("a response over the client's limit is refused by the server, in unary and streaming calls")
  func responseTooLarge() async throws {
    let unary = MethodDescriptor.test("Large")
    let streaming = MethodDescriptor.test("LargeStream", .serverStreaming)
    let large = ByteBuffer(repeating: 0, count: (4 << 20) + 1)
    let methods = [
      RPCMethod.unary(unary) { (_: ByteBuffer, _) in large },
      RPCMethod.serverStreaming(streaming) { (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
        try await responses.send(large)
      },
    ]
    try await withLoopback(methods[0], methods[1]) { loopback in
      let client = try loopback.client()
      let error = await rpcError { try await client.unary(unary, ByteBuffer(), options: CallOptions()) }
      #expect(error?.code == .resourceExhausted)
      let call = try await client.start(streaming, request: ByteBuffer(), options: CallOptions())
      #expect(await rpcError { try await call.next() }?.code == .resourceExhausted)
    }
  }

  @Test("metadata that cannot travel is refused at the call that has it; the connection goes on")
  func badMetadata() async throws {
    let method = MethodDescriptor.test("Trailers")
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, context) in
      context.sendInitialMetadata(["Bad Key": "x"])
      context.setTrailers(["Bad Key": "x"])
      return request
    }
    try await withLoopback(.echo, serving) { loopback in
      let client = try loopback.client()
      let tooMany = Metadata((0..<65).map { Metadata.Field(key: "k\($0)", value: "") })
      let tooLarge: Metadata = ["k": String(repeating: "v", count: 8_192)]
      for metadata in [["Upper": "x"], ["": "x"], tooMany, tooLarge] as [Metadata] {
        let error = await rpcError {
          try await client.unary(.echo, ByteBuffer(), options: CallOptions(metadata: metadata))
        }
        #expect(error?.code == .invalidArgument)
      }
      let served = await rpcError { try await client.unary(method, ByteBuffer(), options: CallOptions()) }
      #expect(served?.code == .internal)
      #expect(try await client.echo() == "hello")
    }
  }

  @Test("a caller that sends after it has ended its requests is told")
  func sendAfterHalfClose() async throws {
    let method = MethodDescriptor.test("Chat", .bidirectionalStreaming)
    let serving = RPCMethod.bidirectionalStreaming(method) {
      (requests: RequestStream<ByteBuffer>, responses: ResponseWriter<ByteBuffer>, _) in
      for try await request in requests { try await responses.send(request) }
    }
    try await withLoopback(serving) { loopback in
      let call = try await loopback.client().start(method, request: nil, options: CallOptions())
      try await call.halfClose()
      #expect(await rpcError { try await call.send(ByteBuffer()) }?.code == .failedPrecondition)
    }
  }

  @Test("a unary method whose caller streams two requests, or none, is INVALID_ARGUMENT")
  func wrongRequestCount() async throws {
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client()
      let two = try await client.start(.echo, request: nil, options: CallOptions())
      try await two.send(ByteBuffer())
      try await two.send(ByteBuffer())
      try await two.halfClose()
      #expect(await rpcError { try await two.next() }?.code == .invalidArgument)
      let none = try await client.start(.echo, request: nil, options: CallOptions())
      try await none.halfClose()
      #expect(await rpcError { try await none.next() }?.code == .invalidArgument)
    }
  }

  @Test("a server that is not there is UNAVAILABLE, and the call surely did not start")
  func nobodyListens() async throws {
    let loopback = try await Loopback([.echo])
    let client = try loopback.client()
    try await loopback.server.drain()
    let error = await rpcError { try await client.echo() }
    #expect(error?.code == .unavailable)
    #expect(error?.isRejected == true)
    try await client.close()
  }
}
