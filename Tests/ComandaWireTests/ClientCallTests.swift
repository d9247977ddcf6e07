import NIOCore
import Testing

@testable import ComandaWire

@Suite("A call, as the client sees it")
struct ClientCallTests {
  @Test("a unary call is one frame, when its request fits")
  func unary() throws {
    let client = try Side.introduced(.client)
    let room = 16_375 - (4 + 1 + 3 + 1)
    #expect(client.open(message: .pattern(room), isLast: true) == 1)
    let frames = try client.sent()
    #expect(frames == [.open(1, Open(method: "s/m", message: .pattern(room), endStream: true))])
    #expect(frames.first?.encoded.readableBytes == 16_384)
  }

  @Test("a request that is a byte too large follows its OPEN in DATA")
  func largeUnary() throws {
    let client = try Side.introduced(.client)
    let message = ByteBuffer.pattern(16_375 - (4 + 1 + 3 + 1) + 1)
    #expect(client.open(message: message, isLast: true) == 1)
    #expect(
      try client.sent() == [
        .open(1, Open(method: "s/m")), .data(1, message, flags: [.endMessage, .endStream]),
      ])
  }

  @Test("an OPEN carries deadline and metadata")
  func openFields() throws {
    let client = try Side.introduced(.client)
    _ = client.machine.open(
      method: "s/m", timeoutMilliseconds: 1_500, metadata: FrameSamples.fields, message: nil, isLast: false)
    #expect(
      try client.sent() == [.open(1, Open(method: "s/m", timeoutMilliseconds: 1_500, metadata: FrameSamples.fields))])
  }

  @Test("calls are numbered 1, 2, 3, …, up to the streams granted; STREAMS grants more, and never fewer")
  func streamCredit() throws {
    let client = try Side.introduced(.client, peer: Limits.beforeHello)
    for id in StreamID(1)...100 { #expect(client.open() == id) }
    #expect(client.open() == nil)
    #expect(try client.receive(.streams(limit: 102)) == .creditRaised)
    _ = try client.receive(.streams(limit: 5))
    _ = try client.receive(.streams(limit: 102))
    #expect(client.open() == 101)
    #expect(client.open() == 102)
    #expect(client.open() == nil)
  }

  @Test("the end of the requests goes with the last message")
  func halfCloseWithMessage() throws {
    let client = try Side.calling()
    client.machine.send(.pattern(4), on: 1)
    client.machine.endRequests(on: 1)
    #expect(try client.sent() == [.data(1, .pattern(4), flags: [.endMessage, .endStream])])
  }

  @Test("the end of the requests is a frame of its own when no message waits")
  func halfCloseAlone() throws {
    let client = try Side.calling()
    client.machine.endRequests(on: 1)
    #expect(try client.sent() == [.data(1, ByteBuffer(), flags: .endStream)])
    client.machine.endRequests(on: 1)
    #expect(try client.sent() == [])
  }

  @Test("an empty last message keeps its end")
  func emptyLastMessage() throws {
    let client = try Side.calling()
    client.machine.send(ByteBuffer(), on: 1)
    client.machine.endRequests(on: 1)
    #expect(try client.sent() == [.data(1, ByteBuffer(), flags: [.endMessage, .endStream])])
  }

  @Test("METADATA, DATA and STATUS in state open → metadata, message, status")
  func stream() throws {
    let client = try Side.calling()
    #expect(try client.receive(.metadata(1, FrameSamples.fields)) == .metadata(1, FrameSamples.fields))
    #expect(
      try client.receive(.data(1, .pattern(9), flags: .endMessage)) == .message(1, .pattern(9), cost: 18, isLast: false)
    )
    let status = Status(code: 7, message: "no", details: .pattern(2), trailers: FrameSamples.fields)
    #expect(try client.receive(.status(1, status)) == .status(1, status))
    #expect(client.openStreams == 0)
  }

  @Test("METADATA behind DATA of its call → none, be its message whole or not", arguments: [true, false])
  func lateMetadata(isWhole: Bool) throws {
    let client = try Side.calling()
    _ = try client.receive(.data(1, .pattern(9), flags: isWhole ? .endMessage : []))
    #expect(try client.receive(.metadata(1, FrameSamples.fields)) == .none)
    #expect(client.openStreams == 1)
  }

  // MARK: - Drain

  @Test("DRAIN → drain; DRAIN_ACK follows the last OPEN, and no call is opened any more")
  func drain() throws {
    let client = try Side.introduced(.client)
    _ = client.open(message: .pattern(1), isLast: true)
    #expect(try client.receive(.drain) == .drain)
    #expect(!client.canOpen)
    #expect(client.open() == nil)
    #expect(
      try client.sent() == [.open(1, Open(method: "s/m", message: .pattern(1), endStream: true)), .drainAck])
    #expect(try client.receive(.drain) == .none)
    #expect(try client.sent() == [])
    #expect(try client.receive(.response(1, .pattern(1))) == .response(1, .pattern(1)))
  }
}
