import NIOCore
import Testing

@testable import ComandaWire

@Suite("Flow control of what is sent")
struct SendingTests {
  private static let small = Limits.beforeHello

  @Test("a stream sends up to its limit, and goes on when CREDIT raises it")
  func streamLimit() throws {
    let client = try Side.calling(peer: Self.small)
    client.machine.send(.pattern(600 << 10), on: 1)
    #expect(try client.sent().dataCost() == 256 << 10)
    #expect(!client.hasOutgoing)
    _ = try client.receive(.credit(1, limit: 300 << 10))
    #expect(try client.sent().dataCost() == 44 << 10)
    _ = try client.receive(.credit(1, limit: 700 << 10))
    #expect(try client.sent().last?.segment?.flags == .endMessage)
  }

  @Test("CREDIT that is repeated, late or lower changes nothing")
  func staleCredit() throws {
    let client = try Side.calling(peer: Self.small)
    client.machine.send(.pattern(900 << 10), on: 1)
    _ = try client.sent()
    _ = try client.receive(.credit(1, limit: 300 << 10))
    _ = try client.receive(.credit(1, limit: 300 << 10))
    _ = try client.receive(.credit(1, limit: 1))
    #expect(try client.sent().dataCost() == 44 << 10)
    _ = try client.receive(.credit(1, limit: 0))
    #expect(try client.sent() == [])
  }

  @Test("CREDIT of 2^64 - 1 bytes is as good as any")
  func enormousCredit() throws {
    let client = try Side.calling(peer: Self.small)
    client.machine.send(.pattern(3 << 20), on: 1)
    _ = try client.receive(.credit(1, limit: .max))
    _ = try client.receive(.credit(0, limit: .max))
    #expect(try client.sent().dataBytes() == 3 << 20)
    client.machine.send(.pattern(3 << 20), on: 1)
    #expect(try client.sent().dataBytes() == 3 << 20)
  }

  @Test("all streams together send up to the connection's limit")
  func connectionLimit() throws {
    var hello = Self.small
    hello.streamWindow = 1 << 30
    let client = try Side.introduced(.client, peer: hello)
    for _ in 0..<3 { client.machine.send(.pattern(700 << 10), on: client.open() ?? 0) }
    #expect(try client.sent().dataCost() == 1 << 20)
    #expect(!client.hasOutgoing)
    _ = try client.receive(.credit(0, limit: (1 << 20) + 9))
    #expect(try client.sent().dataCost() == 0)
    _ = try client.receive(.credit(0, limit: (1 << 20) + 10))
    #expect(try client.sent().dataCost() == 10)
    _ = try client.receive(.credit(0, limit: 3 << 20))
    #expect(try client.sent().dataBytes() == 3 * (700 << 10) - 64 * 16_375 - 1)
  }

  @Test("OPEN's message, RESPONSE and the ends of calls need no credit")
  func uncontrolled() throws {
    let client = try Side.introduced(.client, peer: Self.small)
    for _ in 0..<5 { client.machine.send(.pattern(256 << 10), on: client.open() ?? 0) }
    #expect(try client.sent().dataCost() == 1 << 20)
    #expect(client.open(message: .pattern(16_000), isLast: true) == 6)
    #expect(try client.sent().count == 1)

    let server = try Side.serving(.unary, peer: Self.small)
    for id in StreamID(2)...8 { _ = try server.receive(.open(id, .unary)) }
    for id in StreamID(2)...6 { server.machine.send(.pattern(256 << 10), on: id) }
    #expect(try server.sent().dataCost() == 1 << 20)
    server.machine.respond(.pattern(16_000), on: 1)
    server.machine.finish(Status(code: 5), on: 7)
    #expect(try server.sent().count == 2)
  }

  @Test("the end of the requests leaves although the connection's credit is used up; an empty message costs its header")
  func endWithoutCredit() throws {
    let client = try Side.introduced(.client, peer: Self.small)
    for _ in 0..<6 { _ = client.open() }
    for id in StreamID(1)...5 { client.machine.send(.pattern(300 << 10), on: id) }
    #expect(try client.sent().dataCost() == 1 << 20)
    client.machine.endRequests(on: 6)
    #expect(client.hasOutgoing)
    #expect(try client.sent().compactMap(\.segment) == [.init(call: 6, bytes: 0, flags: .endStream)])
    let seventh = client.open() ?? 0
    client.machine.send(ByteBuffer(), on: seventh)
    #expect(try client.sent().compactMap(\.segment).isEmpty)
    for id in StreamID(1)...5 { client.machine.reset(id, .cancelled) }
    _ = try client.receive(.credit(0, limit: (1 << 20) + 9))
    #expect(try client.sent().compactMap(\.segment) == [.init(call: seventh, bytes: 0, flags: .endMessage)])
  }

  @Test("streams that wait for credit keep their turns")
  func turnsAfterCredit() throws {
    let client = try Side.introduced(.client, peer: Self.small)
    for _ in 0..<4 { client.machine.send(.pattern(256 << 10), on: client.open() ?? 0) }
    _ = try client.sent()
    for _ in 0..<2 { client.machine.send(.pattern(100_000), on: client.open() ?? 0) }
    #expect(try client.sent().dataCost() == 0)
    _ = try client.receive(.credit(0, limit: (1 << 20) + 5 * 16_384))
    #expect(try client.sent().compactMap(\.segment?.call) == [5, 6, 5, 6, 5])
  }

  @Test("streams with much to send take turns, frame by frame")
  func roundRobin() throws {
    let client = try Side.introduced(.client)
    for _ in 0..<3 { client.machine.send(.pattern(3 * 16_375), on: client.open() ?? 0) }
    #expect(try client.sent().compactMap(\.segment?.call) == [1, 2, 3, 1, 2, 3, 1, 2, 3])
  }

  @Test("a small message does not wait for a large one")
  func smallBesideLarge() throws {
    let client = try Side.introduced(.client)
    client.machine.send(.pattern(4 << 20), on: client.open() ?? 0)
    _ = try client.sent(budget: 100_000)
    let second = client.open() ?? 0
    client.machine.send(.pattern(10), on: second)
    let segments = try client.sent(budget: 100_000).compactMap(\.segment)
    #expect(segments.firstIndex { $0.call == second } ?? .max <= 1)
  }

  @Test("no more is produced than was asked for, to the frame")
  func budget() throws {
    let client = try Side.calling()
    client.machine.send(.pattern(1 << 20), on: 1)
    #expect(try client.sent(budget: 100_000).dataBytes() == 7 * 16_375)
    #expect(client.hasOutgoing)
  }

  @Test("a writer is told to pause at 256 KiB queued, and to go on below")
  func backPressure() throws {
    let client = try Side.calling(peer: Self.small)
    client.machine.send(.pattern(300 << 10), on: 1)
    #expect(client.isBackedUp(1))
    _ = try client.sent(budget: 10)
    #expect(client.drained.isEmpty)
    _ = try client.sent(budget: 100 << 10)
    #expect(client.drained == [1])
    #expect(!client.isBackedUp(1))
    _ = try client.sent()
    #expect(client.drained == [1])
  }

  @Test("calls that were given up while they waited for credit leave nothing behind")
  func abandonedWhileWaiting() throws {
    let client = try Side.introduced(.client, peer: Self.small)
    for _ in 0..<5 { client.machine.send(.pattern(256 << 10), on: client.open() ?? 0) }
    _ = try client.sent()
    #expect(client.waitingToSend == 5)
    for _ in 0..<50 {
      guard let id = client.open() else { continue }
      client.machine.send(.pattern(10), on: id)
      client.machine.reset(id, .cancelled)
      _ = try client.sent()
    }
    #expect(client.waitingToSend == 5)
  }
}

@Suite("Flow control of what is received")
struct ReceivingTests {
  private static let window: UInt64 = 1 << 20

  private static var limits: Limits {
    var limits = Limits.fixed
    limits.streamWindow = window
    limits.connectionWindow = 4 * window
    return limits
  }

  /// What fits a DATA frame; with its header it costs 16,384 bytes of credit.
  private static let full = 16_375
  /// Bytes of a message that costs exactly a window.
  private static let windowful = 64 * full

  /// Feeds a message in full frames; returns the last event.
  @discardableResult
  private func feed(_ side: Side, _ count: Int, on id: StreamID, end: DataFlags = .endMessage) throws -> ConnectionEvent
  {
    var left = count
    while left > Self.full {
      _ = try side.receive(.data(id, ByteBuffer(repeating: 1, count: Self.full), flags: []))
      left -= Self.full
    }
    return try side.receive(.data(id, ByteBuffer(repeating: 1, count: left), flags: end))
  }

  /// The cost of a message that was fed.
  private func cost(_ count: Int) -> UInt64 {
    UInt64(count + 9 * max(1, (count + Self.full - 1) / Self.full))
  }

  @Test("a message's cost is credited when it is taken, half a window at a time")
  func creditAfterTaking() throws {
    let server = try Side.serving(limits: Self.limits)
    let half = Self.windowful / 2
    try feed(server, half, on: 1)
    #expect(try server.sent() == [])
    server.machine.took(cost(half), on: 1)
    #expect(try server.sent() == [.credit(1, limit: Self.window * 3 / 2)])
    try feed(server, half, on: 1)
    server.machine.took(cost(half) - 1, on: 1)
    #expect(try server.sent() == [])
    server.machine.took(1, on: 1)
    #expect(try server.sent() == [.credit(1, limit: 2 * Self.window)])
  }

  @Test("a side that does not take receives a window and no more")
  func withheld() throws {
    let server = try Side.serving(limits: Self.limits)
    for _ in 0..<64 { try feed(server, Self.full, on: 1) }
    #expect(try server.sent() == [])
    #expect(violation { _ = try server.receive(.data(1, ByteBuffer(), flags: .endMessage)) } == .creditExceeded)
  }

  @Test("empty messages cost their headers: a side that does not take gets 116,508 of them in a window and no more")
  func emptyMessages() throws {
    let server = try Side.serving(limits: Self.limits)
    for _ in 0..<Self.window / 9 { _ = try server.receive(.data(1, ByteBuffer(), flags: .endMessage)) }
    #expect(try server.sent() == [])
    #expect(violation { _ = try server.receive(.data(1, ByteBuffer(), flags: .endMessage)) } == .creditExceeded)
  }

  @Test("the bare end of a stream costs nothing")
  func freeEnd() throws {
    let server = try Side.serving(limits: Self.limits)
    try feed(server, Self.windowful, on: 1)
    #expect(try server.receive(.data(1, ByteBuffer(), flags: .endStream)) == .requestsEnded(1))
  }

  @Test("more than the stream's credit ends the connection, although the connection has credit")
  func streamExceeded() throws {
    let server = try Side.serving(limits: Self.limits)
    try feed(server, Self.windowful, on: 1, end: [])
    // What is under assembly was credited, but the sender has not been told yet.
    #expect(violation { _ = try server.receive(.data(1, .pattern(1), flags: [])) } == .creditExceeded)
  }

  @Test("more than the connection's credit ends the connection")
  func connectionExceeded() throws {
    let server = try Side.introduced(.server, limits: Self.limits)
    for id in StreamID(1)...5 { _ = try server.receive(.open(id, .streaming)) }
    for id in StreamID(1)...4 { try feed(server, Self.windowful, on: id) }
    #expect(violation { _ = try server.receive(.data(5, .pattern(1), flags: [])) } == .creditExceeded)
  }

  @Test("a message under assembly is credited at once, so it may be larger than the window")
  func largerThanWindow() throws {
    let server = try Side.serving(limits: Self.limits)
    var advertised = Self.window
    var (sent, spent) = (0, UInt64(0))
    while sent < 4 << 20 {
      let length = min(Self.full, (4 << 20) - sent)
      sent += length
      spent += UInt64(length) + 9
      try #require(spent <= advertised)
      let isLast = sent == 4 << 20
      let event = try server.receive(
        .data(1, ByteBuffer(repeating: 1, count: length), flags: isLast ? .endMessage : []))
      #expect(isLast == (event != .none))
      advertised = try server.sent().credit(1) ?? advertised
    }
    #expect(try server.sent() == [])
    server.machine.took(spent, on: 1)
    advertised = try server.sent().credit(1) ?? advertised
    #expect(advertised >= spent + Self.window / 2)
  }

  @Test("bytes behind a message that waits for its reader are withheld too")
  func assemblyBehindMessage() throws {
    let server = try Side.serving(limits: Self.limits)
    try feed(server, 10, on: 1)
    try feed(server, 700 << 10, on: 1, end: [])
    #expect(try server.sent() == [])
    server.machine.took(cost(10), on: 1)
    #expect(try server.sent().credit(1) == cost(10) + cost(700 << 10) + Self.window)
  }

  @Test("the connection is credited as bytes come; that they are read, or their call ends, adds nothing")
  func creditAsItComes() throws {
    let ends: [(Side) throws -> Void] = [
      { [cost] in $0.machine.took(cost(600 << 10), on: 1) },
      { _ = try $0.receive(.reset(1, .cancelled)) },
      { $0.machine.finish(Status(code: 1), on: 1, atOnce: true) },
      { $0.machine.reset(1, .rejected) },
    ]
    for end in ends {
      var limits = Self.limits
      limits.connectionWindow = Self.window
      let server = try Side.serving(limits: limits)
      try feed(server, 600 << 10, on: 1)
      #expect(try server.sent() == [.credit(0, limit: cost(600 << 10) + Self.window)])
      try end(server)
      #expect(try server.sent().credit(0) == nil)
    }
  }

  @Test("calls that nobody reads, however many, leave the connection a whole window for the others")
  func stalledStreams() throws {
    let server = try Side.introduced(.server, limits: Self.limits)
    var limit = 4 * Self.window
    for id in StreamID(1)...255 {
      _ = try server.receive(.open(id, .streaming))
      try feed(server, Self.windowful, on: id)
      limit = try server.sent().credit(0) ?? limit
      #expect(limit >= UInt64(id) * Self.window + 2 * Self.window, "half a window is there at any time")
    }
    _ = try server.receive(.open(256, .streaming))
    try feed(server, Self.windowful, on: 256)
    #expect(violation { _ = try server.receive(.data(255, .pattern(1), flags: [])) } == .creditExceeded)
  }

  @Test("what calls get beyond their first windows is half of what is left of the connection's, and comes back")
  func growthIsShared() throws {
    var limits = Self.limits
    limits.streamWindow = 256 << 10
    limits.connectionWindow = 16 << 20
    limits.maximumConnectionWindow = 16 << 20
    limits.maximumStreamWindow = 8 << 20
    let server = try Side.introduced(.server, limits: limits)
    var granted: [StreamID: UInt64] = [:]
    var probe: UInt64?
    // Grows the windows: all that the credit lets through arrives between a PING and its PONG.
    _ = try server.receive(.open(1, .streaming))
    granted[1] = limits.streamWindow
    var sent: UInt64 = 0
    for _ in 0..<10_000 where granted[1] ?? 0 < 30 << 20 {
      if sent + 16_384 <= granted[1] ?? 0 {
        try feed(server, Self.full, on: 1)
        sent += 16_384
        server.machine.took(16_384, on: 1)
        continue
      }
      if let number = probe { _ = try server.receive(.pong(number)) }
      probe = nil
      for frame in try server.sent() {
        if case .ping(let number) = frame { probe = number }
        if case .credit(1, let limit) = frame { granted[1] = limit }
      }
    }
    #expect((granted[1] ?? 0) - sent > 4 << 20, "a call alone gets a large window")
    for id in StreamID(2)...20 {
      _ = try server.receive(.open(id, .streaming))
      // Nobody takes the message.
      try feed(server, 1_000, on: id)
      granted[id] = try server.sent().credit(id) ?? limits.streamWindow
    }
    let beyond = granted.map { $1 - ($0 == 1 ? sent : 0) - limits.streamWindow }.reduce(0, +)
    #expect(beyond <= 16 << 20)
    #expect((granted[2] ?? 0) > 2 << 20)
    #expect(granted[20] == limits.streamWindow)
    for id in StreamID(2)...19 { _ = try server.receive(.reset(id, .cancelled)) }
    server.machine.took(cost(1_000), on: 20)
    #expect(try server.sent().credit(20) ?? 0 > 2 << 20, "what ended calls had is there again")
  }

  @Test("a stream whose sender has ended it gets no further credit")
  func noCreditAfterEnd() throws {
    let server = try Side.serving(limits: Self.limits)
    try feed(server, 900 << 10, on: 1, end: [.endMessage, .endStream])
    server.machine.took(cost(900 << 10), on: 1)
    #expect(try server.sent() == [])
  }

  @Test("several credits due at a time are one CREDIT each for the stream and the connection")
  func collapsed() throws {
    var limits = Self.limits
    limits.connectionWindow = Self.window
    let server = try Side.serving(limits: limits)
    for _ in 0..<10 {
      try feed(server, 100_000, on: 1)
      server.machine.took(cost(100_000), on: 1)
    }
    let limit = 10 * cost(100_000) + Self.window
    #expect(try server.sent() == [.credit(1, limit: limit), .credit(0, limit: limit)])
  }

  @Test("a small message does not keep the large read that it came with")
  func smallInLarge() throws {
    let server = try Side.serving()
    var read = Frame.data(1, .pattern(10), flags: .endMessage).encoded
    read.writeImmutableBuffer(.pattern(200_000))
    guard let frame = try FrameDecoder.decode(&read), case .message(_, let message, _, _) = try server.receive(frame)
    else {
      Issue.record("no message")
      return
    }
    #expect(message.storageCapacity < 1_000)
  }

  @Test("the beginning of a message does not keep the large read that it came with")
  func beginningInLarge() throws {
    let server = try Side.serving()
    var read = Frame.data(1, .pattern(10), flags: []).encoded
    read.writeImmutableBuffer(.pattern(200_000))
    var frame = try FrameDecoder.decode(&read)
    if let frame { #expect(try server.receive(frame) == .none) }
    // From here on the machine alone keeps anything.
    frame = nil
    read = ByteBuffer()
    let event = try server.receive(.data(1, .pattern(10), flags: .endMessage))
    guard case .message(_, let message, _, _) = event else {
      Issue.record("no message")
      return
    }
    #expect(message.readableBytes == 20)
    #expect(message.storageCapacity < 1_000)
  }

  // MARK: - Streams

  @Test("STREAMS comes when a quarter of the calls have ended with their handlers")
  func streamsCredit() throws {
    let server = try Side.introduced(.server)
    for id in StreamID(1)...64 {
      _ = try server.receive(.open(id, .unary))
      server.machine.respond(.pattern(1), on: id)
      if id == 64 { _ = try server.sent() }
      server.machine.handlerEnded(of: id)
      if id < 64 { #expect(try server.sent().allSatisfy { if case .streams = $0 { false } else { true } }) }
    }
    #expect(try server.sent() == [.streams(limit: 256 + 64)])
  }

  @Test("a call that was reset keeps its place until its handler has ended: rapid reset buys nothing")
  func rapidReset() throws {
    let server = try Side.introduced(.server)
    for id in StreamID(1)...256 {
      _ = try server.receive(.open(id, .unary))
      _ = try server.receive(.reset(id, .cancelled))
    }
    #expect(try server.sent() == [])
    #expect(violation { _ = try server.receive(.open(257, .unary)) } == .creditExceeded)
    for id in StreamID(1)...64 { server.machine.handlerEnded(of: id) }
    #expect(try server.sent() == [.streams(limit: 256 + 64)])
  }

  @Test("a call whose answer waits for credit keeps its place, although its handler has ended")
  func unreadAnswers() throws {
    let server = try Side.introduced(.server, peer: Limits.beforeHello)
    for id in StreamID(1)...128 {
      _ = try server.receive(.open(id, .unary))
      server.machine.send(.pattern(300 << 10), on: id)
      server.machine.handlerEnded(of: id)
      server.machine.finish(Status(code: 0), on: id)
    }
    #expect(try server.sent().allSatisfy { $0.segment != nil })
    #expect(server.openStreams == 128)
    for id in StreamID(1)...64 { _ = try server.receive(.reset(id, .cancelled)) }
    #expect(try server.sent() == [.streams(limit: 256 + 64)])
  }
}
