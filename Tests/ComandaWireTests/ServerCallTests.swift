import NIOCore
import Testing

@testable import ComandaWire

@Suite("A call, as the server sees it")
struct ServerCallTests {
  // MARK: - Opening

  @Test("OPEN in state idle → opened; the call is in the table")
  func open() throws {
    let server = try Side.introduced(.server)
    let open = Open(
      method: "s/m", timeoutMilliseconds: 20, metadata: FrameSamples.fields, message: .pattern(9), endStream: true)
    #expect(try server.receive(.open(1, open)) == .opened(1, open))
    #expect(server.openStreamIDs == [1])
  }

  @Test("OPEN of another id than the next ends the connection", arguments: [StreamID(1), 3, 0x7fff_ffff])
  func openOutOfOrder(id: StreamID) throws {
    let server = try Side.serving()
    #expect(violation { _ = try server.receive(.open(id, .unary)) } == .protocolError)
  }

  @Test("OPEN beyond the streams granted ends the connection with CREDIT_EXCEEDED")
  func openBeyondCredit() throws {
    let server = try Side.introduced(.server)
    for id in StreamID(1)...256 { _ = try server.receive(.open(id, .unary)) }
    #expect(violation { _ = try server.receive(.open(257, .unary)) } == .creditExceeded)
  }

  // MARK: - Requests

  @Test("DATA frames up to END_MESSAGE are one message")
  func segments() throws {
    let server = try Side.serving()
    #expect(try server.receive(.data(1, ByteBuffer(bytes: [1, 2]), flags: [])) == .none)
    #expect(try server.receive(.data(1, ByteBuffer(), flags: [])) == .none)
    #expect(try server.receive(.data(1, ByteBuffer(bytes: [3]), flags: [])) == .none)
    #expect(
      try server.receive(.data(1, ByteBuffer(bytes: [4]), flags: .endMessage))
        == .message(1, ByteBuffer(bytes: [1, 2, 3, 4]), cost: 4 + 4 * 9, isLast: false))
    #expect(
      try server.receive(.data(1, ByteBuffer(bytes: [5]), flags: .endMessage))
        == .message(1, ByteBuffer(bytes: [5]), cost: 10, isLast: false))
  }

  @Test("DATA of no bytes with END_MESSAGE is an empty message")
  func emptyMessage() throws {
    let server = try Side.serving()
    #expect(
      try server.receive(.data(1, ByteBuffer(), flags: .endMessage))
        == .message(1, ByteBuffer(), cost: 9, isLast: false))
  }

  @Test("DATA of a call that ended is dropped, and its bytes are credited")
  func dataAfterStatus() throws {
    var limits = Limits.fixed
    limits.connectionWindow = 1 << 20
    let server = try Side.serving(limits: limits)
    server.machine.finish(Status(code: 5), on: 1)
    _ = try server.sent()
    for _ in 0..<64 {
      #expect(try server.receive(.data(1, ByteBuffer(repeating: 0, count: 16_000), flags: [])) == .none)
    }
    #expect(try server.sent() == [.credit(0, limit: 64 * 16_009 + (1 << 20))])
  }

  @Test("a message above the limit is a violation of the call, as soon as its segments are")
  func tooLarge() throws {
    let limits = Limits.fixed
    let server = try Side.serving(limits: limits)
    let segment = ByteBuffer(repeating: 7, count: 16_000)
    var received: UInt64 = 0
    while received + 16_000 <= limits.messageSize {
      #expect(try server.receive(.data(1, segment, flags: [])) == .none)
      received += 16_000
      _ = try server.sent()
    }
    #expect(
      try server.receive(.data(1, segment, flags: [])) == .violation(1, .messageTooLarge(limit: limits.messageSize)))
  }

  @Test("a message of exactly the limit arrives")
  func largest() throws {
    let server = try Side.serving()
    let segment = ByteBuffer(repeating: 7, count: 1 << 13)
    for _ in 1..<512 {
      #expect(try server.receive(.data(1, segment, flags: [])) == .none)
      _ = try server.sent()
    }
    let whole = ByteBuffer(repeating: 7, count: 4 << 20)
    #expect(
      try server.receive(.data(1, segment, flags: .endMessage))
        == .message(1, whole, cost: (4 << 20) + 512 * 9, isLast: false))
  }

  @Test("large messages on many calls have a bound together beyond the calls' windows, partly there or not read")
  func assembly() throws {
    var limits = Limits.fixed
    limits.assemblyBytes = 300 << 10
    let server = try Side.introduced(.server, limits: limits)
    let segment = ByteBuffer(repeating: 7, count: 10 << 10)
    let windowful = Int(limits.streamWindow) / segment.readableBytes + 1
    func feed(_ id: StreamID, segments: Int) throws {
      for _ in 0..<segments {
        #expect(try server.receive(.data(id, segment, flags: [])) == .none)
        _ = try server.sent()
      }
    }
    // Five calls are 4 KiB beyond their windows, and 50 KiB more each.
    for id in StreamID(1)...5 {
      _ = try server.receive(.open(id, .streaming))
      try feed(id, segments: windowful + 5)
    }
    _ = try server.receive(.open(6, .streaming))
    try feed(6, segments: windowful + 2)
    let full = StreamViolation.assemblyFull(limit: 300 << 10)
    #expect(try server.receive(.data(6, segment, flags: [])) == .violation(6, full))
    // What is within its window is its call's own, and goes on.
    _ = try server.receive(.open(7, .streaming))
    try feed(7, segments: windowful - 1)
    server.machine.finish(Status(code: 8), on: 6, atOnce: true)
    // A message that is whole and waits for its reader counts on.
    guard case .message(_, _, let cost, _) = try server.receive(.data(1, ByteBuffer(), flags: .endMessage)) else {
      Issue.record("no message")
      return
    }
    try feed(2, segments: 2)
    #expect(try server.receive(.data(3, segment, flags: [])) == .violation(3, full))
    server.machine.took(cost, on: 1)
    #expect(try server.receive(.data(3, segment, flags: [])) == .none)
  }

  // MARK: - Answers

  @Test("an answer that fits is one RESPONSE, and the call is over")
  func respond() throws {
    let server = try Side.serving(.unary)
    server.machine.respond(.pattern(16_375), on: 1)
    #expect(try server.sent() == [.response(1, .pattern(16_375))])
    #expect(server.openStreams == 0)
  }

  @Test("an answer too large for a frame is DATA and then STATUS OK")
  func respondLarge() throws {
    let server = try Side.serving(.unary)
    server.machine.respond(.pattern(16_376), on: 1)
    server.machine.finish(Status(code: 0), on: 1)
    let message = ByteBuffer.pattern(16_376)
    #expect(
      try server.sent() == [
        .data(1, message.getSlice(at: 0, length: 16_375) ?? message, flags: []),
        .data(1, message.getSlice(at: 16_375, length: 1) ?? message, flags: .endMessage),
        .status(1, Status(code: 0)),
      ])
    #expect(server.openStreams == 0)
  }

  @Test("messages are followed by the status")
  func finish() throws {
    let server = try Side.serving()
    server.machine.send(.pattern(3), on: 1)
    server.machine.send(ByteBuffer(), on: 1)
    server.machine.finish(Status(code: 9, message: "no"), on: 1)
    #expect(
      try server.sent() == [
        .data(1, .pattern(3), flags: .endMessage), .data(1, ByteBuffer(), flags: .endMessage),
        .status(1, Status(code: 9, message: "no")),
      ])
  }

  @Test("a status without messages leaves at once")
  func finishAtOnce() throws {
    let server = try Side.serving()
    server.machine.finish(Status(code: 12), on: 1)
    #expect(try server.sent() == [.status(1, Status(code: 12))])
    #expect(server.openStreams == 0)
  }

  @Test("a status that must leave at once drops the messages that wait")
  func finishInstead() throws {
    let server = try Side.serving()
    server.machine.send(.pattern(3), on: 1)
    server.machine.finish(Status(code: 4), on: 1, atOnce: true)
    #expect(try server.sent() == [.status(1, Status(code: 4))])
    #expect(!server.hasOutgoing)
  }

  @Test("METADATA leaves once, and only ahead of the first message")
  func metadata() throws {
    let server = try Side.serving()
    server.machine.sendMetadata(FrameSamples.fields, on: 1)
    server.machine.sendMetadata([], on: 1)
    server.machine.send(.pattern(3), on: 1)
    server.machine.sendMetadata(FrameSamples.fields, on: 1)
    #expect(try server.sent() == [.metadata(1, FrameSamples.fields), .data(1, .pattern(3), flags: .endMessage)])
    server.machine.sendMetadata(FrameSamples.fields, on: 1)
    #expect(try server.sent() == [])
  }

  @Test("RESET in state open → reset; the call is over and what waited on it is dropped")
  func reset() throws {
    let server = try Side.serving()
    server.machine.send(.pattern(3), on: 1)
    #expect(try server.receive(.reset(1, .cancelled)) == .reset(1, .cancelled))
    #expect(server.openStreams == 0)
    #expect(try server.sent() == [])
    #expect(try server.receive(.reset(1, .cancelled)) == .none)
  }
}
