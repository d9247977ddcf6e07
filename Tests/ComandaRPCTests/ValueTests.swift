import ComandaRPC
import Testing

@Suite("Values of the call layer")
struct ValueTests {
  @Test("the status codes are gRPC's seventeen, by number and name")
  func statusCodes() {
    let codes: [StatusCode] = [
      .ok, .cancelled, .unknown, .invalidArgument, .deadlineExceeded, .notFound, .alreadyExists, .permissionDenied,
      .resourceExhausted, .failedPrecondition, .aborted, .outOfRange, .unimplemented, .internal, .unavailable,
      .dataLoss, .unauthenticated,
    ]
    #expect(codes.map(\.rawValue) == Array(0...16))
    #expect(codes.map { StatusCode(rawValue: $0.rawValue) } == codes)
    #expect(StatusCode(rawValue: 17) == nil)
    #expect(StatusCode.deadlineExceeded.description == "DEADLINE_EXCEEDED")
    #expect(StatusCode.unauthenticated.description == "UNAUTHENTICATED")
  }

  @Test("metadata keeps its order and its repetitions; a key finds its first value")
  func metadata() {
    var metadata: Metadata = ["a": "1", "b": "2"]
    metadata.append(key: "a", value: "3")
    #expect(metadata.fields.map(\.value) == ["1", "2", "3"])
    #expect(metadata["a"] == "1")
    #expect(metadata["A"] == nil)
    #expect(!metadata.isEmpty)
    #expect(Metadata().isEmpty)
  }

  @Test("a method's path is its service and its name")
  func path() {
    #expect(MethodDescriptor(service: "shop.Orders", name: "Get", kind: .unary).path == "shop.Orders/Get")
  }
}
