import ComandaProtos
import ComandaRPC
import NIOCore
import Testing

/// Serves the golden service that has all four kinds of call.
private struct Counting: Golden_FourKinds_Counting.Server {
  func double(_ request: Golden_FourKinds_Number, context: ServerContext) async throws -> Golden_FourKinds_Number {
    .of(2 * request.value)
  }

  func sum(
    _ requests: RequestStream<Golden_FourKinds_Number>,
    context: ServerContext
  ) async throws -> Golden_FourKinds_Number {
    var sum: Int64 = 0
    for try await request in requests { sum += request.value }
    return .of(sum)
  }

  func count(
    _ request: Golden_FourKinds_Number,
    responses: ResponseWriter<Golden_FourKinds_Number>,
    context: ServerContext
  ) async throws {
    for number in 1...request.value { try await responses.send(.of(number)) }
  }

  func doubleEach(
    _ requests: RequestStream<Golden_FourKinds_Number>,
    responses: ResponseWriter<Golden_FourKinds_Number>,
    context: ServerContext
  ) async throws {
    for try await request in requests { try await responses.send(.of(2 * request.value)) }
  }
}

extension Golden_FourKinds_Number {
  fileprivate static func of(_ value: Int64) -> Self {
    .with { $0.value = value }
  }
}

/// Serves the golden service that takes some of its requests as bytes.
private struct Raw: Golden_RawRequests_Raw.Server {
  func upload(_ requests: RequestStream<ByteBuffer>, context: ServerContext) async throws -> Golden_RawRequests_Report {
    var bytes: Int64 = 0
    for try await request in requests { bytes += Int64(request.readableBytes) }
    return .with { $0.bytes = bytes }
  }

  func check(_ request: ByteBuffer, context: ServerContext) async throws -> Golden_RawRequests_Report {
    .with { $0.bytes = Int64(request.readableBytes) }
  }

  func describe(
    _ request: Golden_RawRequests_Chunk,
    context: ServerContext
  ) async throws -> Golden_RawRequests_Report {
    .with { $0.bytes = Int64(request.content.count) }
  }
}

@Suite("Generated code, called")
struct GeneratedCodeTests {
  private let client = Golden_FourKinds_Counting.Client(InProcessChannel(Counting()))

  @Test("a unary call gets its response")
  func unary() async throws {
    #expect(try await client.double(.of(21)).value == 42)
  }

  @Test("a streaming caller gets one response for its requests")
  func clientStreaming() async throws {
    let call = try await client.sum()
    for number in 1...4 { try await call.send(.of(Int64(number))) }
    #expect(try await call.finish().value == 10)
  }

  @Test("a streaming server's responses arrive in order")
  func serverStreaming() async throws {
    var numbers: [Int64] = []
    for try await number in try await client.count(.of(3)) { numbers.append(number.value) }
    #expect(numbers == [1, 2, 3])
  }

  @Test("when both sides stream, a response arrives before the next request is sent")
  func bidirectionalStreaming() async throws {
    let call = try await client.doubleEach()
    var responses = call.responses.makeAsyncIterator()
    for number in [5, 7] as [Int64] {
      try await call.send(.of(number))
      #expect(try await responses.next()?.value == 2 * number)
    }
    try await call.finishRequests()
    #expect(try await responses.next() == nil)
  }

  @Test("descriptors carry the options of the schema")
  func descriptors() {
    let service = "golden.four_kinds.Counting"
    #expect(
      Golden_FourKinds_Counting.Method.all == [
        MethodDescriptor(
          service: service, name: "Double", kind: .unary, scope: "numbers.read", idempotency: .noSideEffects,
          defaultDeadline: .seconds(5)),
        MethodDescriptor(
          service: service, name: "Sum", kind: .clientStreaming, scope: "numbers.write", idempotency: .idempotent,
          defaultDeadline: .milliseconds(1_500)),
        MethodDescriptor(service: service, name: "Count", kind: .serverStreaming, scope: "numbers.read"),
        MethodDescriptor(service: service, name: "DoubleEach", kind: .bidirectionalStreaming, scope: "numbers.read"),
      ])
    #expect(Counting().methods.map(\.descriptor) == Golden_FourKinds_Counting.Method.all)
  }

  @Test("a method without options is for anybody, is not repeated, and has no deadline")
  func bareDescriptor() {
    #expect(
      Golden_Bare_Plain.Method.ask == MethodDescriptor(service: "golden.bare.Plain", name: "Ask", kind: .unary))
  }

  @Test("raw requests reach the server as the bytes that a typed client sent")
  func rawRequests() async throws {
    let client = Golden_RawRequests_Raw.Client(InProcessChannel(Raw()))
    let chunk = Golden_RawRequests_Chunk.with { $0.content.append(contentsOf: [1, 2, 3]) }
    #expect(try await client.check(chunk).bytes == 5, "a tag, a length, three bytes")
    #expect(try await client.describe(chunk).bytes == 3)
    let call = try await client.upload()
    for _ in 1...2 { try await call.send(chunk) }
    #expect(try await call.finish().bytes == 10)
  }

  @Test("a service that is not offered yet answers each kind of call with UNIMPLEMENTED and its name")
  func unimplemented() async throws {
    let client = Golden_FourKinds_Counting.Client(InProcessChannel(Golden_FourKinds_Counting.Unimplemented()))
    func expectUnimplemented(_ method: String, _ call: () async throws -> Void) async {
      let error = await #expect(throws: RPCError.self) { try await call() }
      #expect(error?.code == .unimplemented)
      #expect(error?.message.hasPrefix("golden.four_kinds.Counting/\(method) is part of the schema") == true)
    }
    await expectUnimplemented("Double") { _ = try await client.double(.of(1)) }
    await expectUnimplemented("Sum") { _ = try await client.sum().finish() }
    await expectUnimplemented("Count") { for try await _ in try await client.count(.of(1)) {} }
    await expectUnimplemented("DoubleEach") { for try await _ in try await client.doubleEach().responses {} }
  }
}
