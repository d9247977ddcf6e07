import ComandaRPC
import NIOCore
import Testing

@Suite("Typed calls of a client")
struct ClientCallTests {
  @Test("a unary call encodes its request and decodes its response")
  func unary() async throws {
    let call = ScriptedCall(receives: ["42"])
    let response: Number = try await ScriptedChannel(call: call).unary(.test(), Number(21), options: CallOptions())
    #expect(response == Number(42))
    #expect(call.sent == ["21"])
  }

  @Test("a response that cannot be decoded is an error of the call")
  func malformedResponse() async {
    let call = ScriptedCall(receives: ["abc"])
    let error = await rpcError {
      let _: Number = try await ScriptedChannel(call: call).unary(.test(), Number(21), options: CallOptions())
    }
    #expect(error != nil)
  }

  @Test("finish ends the requests, and awaits the response and the status behind it")
  func clientStreaming() async throws {
    let call = ScriptedCall(receives: ["6"])
    let typed: ClientStreamingCall<Number, Number> = try await ScriptedChannel(call: call).clientStreaming(
      .test(), options: CallOptions())
    for value in 1...3 { try await typed.send(Number(value)) }
    #expect(try await typed.finish() == Number(6))
    #expect(call.sent == ["1", "2", "3"])
    #expect(call.now.hasHalfClosed)
  }

  @Test("a response whose status is an error is no response")
  func failedAfterResponse() async throws {
    let failure = RPCError(.dataLoss, "the row was lost")
    let call = ScriptedCall(receives: ["6"], thenFails: failure)
    let typed: ClientStreamingCall<Number, Number> = try await ScriptedChannel(call: call).clientStreaming(
      .test(), options: CallOptions())
    #expect(await rpcError { try await typed.finish() } == failure)
  }

  @Test("a call that ends with OK and no response is INTERNAL")
  func noResponse() async throws {
    let typed: ClientStreamingCall<Number, Number> = try await ScriptedChannel(call: ScriptedCall()).clientStreaming(
      .test(), options: CallOptions())
    #expect(await rpcError { try await typed.finish() }?.code == .internal)
  }

  @Test("responses are read in their order, to the end")
  func serverStreaming() async throws {
    let call = ScriptedCall(receives: ["1", "2", "3"])
    let responses: ResponseStream<Number> = try await ScriptedChannel(call: call).serverStreaming(
      .test(), Number(9), options: CallOptions())
    var values: [Int] = []
    for try await response in responses { values.append(response.value) }
    #expect(values == [1, 2, 3])
    #expect(call.sent == ["9"])
  }

  @Test("a failure comes after the responses before it")
  func failingStream() async throws {
    let failure = RPCError(.unavailable, "the server stops")
    let call = ScriptedCall(receives: ["1"], thenFails: failure)
    let responses: ResponseStream<Number> = try await ScriptedChannel(call: call).serverStreaming(
      .test(), Number(9), options: CallOptions())
    var iterator = responses.makeAsyncIterator()
    #expect(try await iterator.next() == Number(1))
    #expect(await rpcError { try await iterator.next() } == failure)
  }

  @Test("a bidirectional call sends, ends and cancels")
  func bidirectional() async throws {
    let call = ScriptedCall(receives: ["5"])
    let typed: BidirectionalCall<Number, Number> = try await ScriptedChannel(call: call).bidirectionalStreaming(
      .test(), options: CallOptions())
    try await typed.send(Number(4))
    #expect(!call.now.hasHalfClosed)
    try await typed.finishRequests()
    var responses = typed.responses.makeAsyncIterator()
    #expect(try await responses.next() == Number(5))
    typed.cancel()
    #expect(call.now.isCancelled)
    #expect(call.now.hasHalfClosed)
  }
}
