import ComandaRPC
import Logging
import NIOCore
import Testing

@Suite("Methods: messages of types over messages of bytes")
struct MethodTests {
  private func run(_ method: RPCMethod, on call: ScriptedCall) async throws {
    switch method.handler {
    case .unary(let handle):
      guard let request = try await call.next() else { return }
      try await call.send(handle(request, call.context()))
    case .stream(let handle): try await handle(call, call, call.context())
    case .refused(let error): throw error
    }
  }

  @Test("a unary handler gets its request decoded, and its response is encoded")
  func unary() async throws {
    let method = RPCMethod.unary(.test()) { (request: Number, _) in Number(request.value * 2) }
    let call = ScriptedCall(receives: ["21"])
    try await run(method, on: call)
    #expect(call.sent == ["42"])
  }

  @Test("a request that cannot be decoded never reaches the handler", arguments: MethodTests.all)
  func malformedRequest(method: RPCMethod) async {
    let call = ScriptedCall(receives: ["abc"])
    let error = await rpcError { try await run(method, on: call) }
    #expect(error == RPCError(.invalidArgument, "a number has digits only"))
    #expect(call.sent.isEmpty)
  }

  private static let all: [RPCMethod] = [
    .unary(.test()) { (request: Number, _) in request },
    .clientStreaming(.test("C", .clientStreaming)) { (requests: RequestStream<Number>, _) in
      var sum = 0
      for try await request in requests { sum += request.value }
      return Number(sum)
    },
    .serverStreaming(.test("S", .serverStreaming)) { (request: Number, responses: ResponseWriter<Number>, _) in
      for value in 0..<request.value { try await responses.send(Number(value)) }
    },
    .bidirectionalStreaming(.test("B", .bidirectionalStreaming)) {
      (requests: RequestStream<Number>, responses: ResponseWriter<Number>, _) in
      for try await request in requests { try await responses.send(Number(-request.value)) }
    },
  ]

  @Test("a client-streaming handler reads all requests, and answers once")
  func clientStreaming() async throws {
    let call = ScriptedCall(receives: ["1", "2", "3"])
    try await run(Self.all[1], on: call)
    #expect(call.sent == ["6"])
  }

  @Test("a server-streaming handler gets its one request, and answers often")
  func serverStreaming() async throws {
    let call = ScriptedCall(receives: ["3"])
    try await run(Self.all[2], on: call)
    #expect(call.sent == ["0", "1", "2"])
  }

  @Test("a server-streaming call without a request is INVALID_ARGUMENT")
  func missingRequest() async {
    let call = ScriptedCall()
    #expect(await rpcError { try await run(Self.all[2], on: call) }?.code == .invalidArgument)
  }

  @Test("a bidirectional handler answers as it reads")
  func bidirectional() async throws {
    let call = ScriptedCall(receives: ["1", "2"])
    try await run(Self.all[3], on: call)
    #expect(call.sent == ["-1", "-2"])
  }

  @Test("a failure of the call is the error of its requests")
  func failingRequests() async {
    let failure = RPCError(.cancelled, "gone")
    let call = ScriptedCall(receives: ["1"], thenFails: failure)
    #expect(await rpcError { try await run(Self.all[1], on: call) } == failure)
  }

  @Test("a method that is not offered is UNIMPLEMENTED when it is opened", arguments: MethodTests.all)
  func unimplemented(method: RPCMethod) async {
    var router = Router()
    router.register(method)
    router.withhold(method.descriptor)
    let dispatcher = CallDispatcher(router: router, logger: Logger(label: "test"))
    let error = await rpcError { try dispatcher.route(to: method.descriptor.path) }
    #expect(error?.code == .unimplemented)
    #expect(error?.message.contains(method.descriptor.path) == true)
  }

  @Test("a handler's context reaches its call")
  func context() {
    let call = ScriptedCall()
    let context = call.context()
    context.sendInitialMetadata(["a": "1"])
    context.setTrailers(["b": "2"])
    context.terminate(with: RPCError(.aborted, "over"))
    #expect(call.now.initialMetadata == ["a": "1"])
    #expect(call.now.trailers == ["b": "2"])
    #expect(call.now.termination == RPCError(.aborted, "over"))
    #expect(context.isDraining)
    #expect(context.metadata["ask"] == "x")
  }
}
