import NIOCore
import Testing

@testable import ComandaWire

@Suite("A connection's set-up")
struct SetUpTests {
  @Test("the first bytes of a side are its HELLO", arguments: [ConnectionStateMachine.Role.server, .client])
  func helloFirst(role: ConnectionStateMachine.Role) throws {
    let side = Side(role)
    let limits = Limits()
    #expect(
      try side.sent() == [
        .hello(
          Hello(
            connectionWindow: limits.connectionWindow, streamWindow: limits.streamWindow,
            streams: role == .server ? limits.concurrentStreams : 100, messageSize: limits.messageSize,
            software: "test"))
      ])
    #expect(!side.hasOutgoing)
  }

  @Test("a HELLO received is told, and the peer's largest message known")
  func helloReceived() throws {
    let side = Side(.server)
    #expect(side.peerMessageSize == 4 << 20)
    #expect(try side.receive(.hello(.generous)) == .hello(.generous))
    #expect(side.peerMessageSize == 1 << 40)
  }

  @Test("another version than 1 ends the connection with UNSUPPORTED_VERSION", arguments: [UInt16(0), 2, .max])
  func otherVersion(version: UInt16) {
    var hello = Hello.generous
    hello.version = version
    #expect(violation { _ = try Side(.server).receive(.hello(hello)) } == .unsupportedVersion)
  }

  @Test("a HELLO that lowers a default ends the connection; one that repeats the defaults does not")
  func lowered() throws {
    let changes: [(inout Hello) -> Void] = [
      { $0.connectionWindow -= 1 }, { $0.streamWindow -= 1 }, { $0.streams -= 1 }, { $0.messageSize -= 1 },
    ]
    for change in changes {
      var hello = Limits.beforeHello
      change(&hello)
      #expect(violation { _ = try Side(.client).receive(.hello(hello)) } == .protocolError)
    }
    #expect(try Side(.client).receive(.hello(Limits.beforeHello)) == .hello(Limits.beforeHello))
  }

  @Test("a side that is configured beyond what the wire can say says the most it can, and its peer takes it")
  func largeConfiguration() throws {
    var limits = Limits()
    limits.concurrentStreams = 3_000_000_000
    limits.connectionWindow = .max
    limits.streamWindow = .max
    limits.maximumConnectionWindow = .max
    limits.maximumStreamWindow = .max
    limits.messageSize = .max
    let server = Side(.server, limits: limits)
    var bytes = ByteBuffer()
    server.machine.takeOutgoing(budget: 1_000, into: &bytes) { _ in }
    guard case .hello(let hello)? = try FrameDecoder.decode(&bytes) else {
      Issue.record("no HELLO")
      return
    }
    #expect(hello.streams == 0x7fff_ffff)
    _ = try server.receive(.hello(.generous))
    _ = try server.receive(.open(1, .streaming))
    var probe: UInt64?
    for _ in 0..<1_000 {
      _ = try server.receive(.data(1, ByteBuffer(repeating: 0, count: 16_375), flags: .endMessage))
      server.machine.took(16_384, on: 1)
      for case .ping(let number) in try server.sent() { probe = number }
      if let number = probe { _ = try server.receive(.pong(number)) }
    }
    #expect(server.openStreams == 1)
  }

  @Test("a side that is configured below the defaults keeps them, since its peer may count on them")
  func smallConfiguration() throws {
    var limits = Limits()
    limits.connectionWindow = 1
    limits.streamWindow = 1
    limits.concurrentStreams = 1
    limits.messageSize = 1
    let server = Side(.server, limits: limits)
    guard let hello = try server.sent().first else {
      Issue.record("no HELLO")
      return
    }
    let client = Side(.client)
    _ = try client.sent()
    #expect(
      try client.receive(hello)
        == .hello(
          {
            var hello = Limits.beforeHello; hello.software = "test"; return hello
          }()))
    _ = try server.receive(.hello(Limits.beforeHello))
    for id in StreamID(1)...100 { #expect(try server.receive(.open(id, .streaming)) == .opened(id, .streaming)) }
    let message = ByteBuffer(repeating: 0, count: 16_000)
    for _ in 0..<16 { #expect(try server.receive(.data(1, message, flags: [])) == .none) }
  }

  @Test("a client may call ahead of the server's HELLO, as far as the defaults go")
  func callBeforeHello() throws {
    let client = Side(.client)
    for id in StreamID(1)...100 { #expect(client.open() == id) }
    #expect(client.open() == nil)
    client.machine.send(ByteBuffer(repeating: 0, count: 300 << 10), on: 1)
    #expect(try client.sent().dataCost() == 256 << 10)
    _ = try client.receive(.hello(.generous))
    #expect(client.open() == 101)
    #expect(try client.sent().dataBytes() == (300 << 10) - 16 * 16_375)
  }

  @Test("PING is answered by PONG of the same number, ahead of what waits")
  func pong() throws {
    let side = try Side.introduced(.server)
    #expect(try side.receive(.ping(42)) == .none)
    #expect(try side.receive(.ping(43)) == .none)
    #expect(try side.sent() == [.pong(42), .pong(43)])
    #expect(!side.hasOutgoing)
  }

  @Test("more than 32 PINGs whose PONG waits end the connection with EXCESSIVE_LOAD")
  func pingFlood() throws {
    let side = try Side.introduced(.server)
    for number in UInt64(0)..<32 { _ = try side.receive(.ping(number)) }
    #expect(violation { _ = try side.receive(.ping(32)) } == .excessiveLoad)
    let reading = try Side.introduced(.server)
    for number in UInt64(0)..<320 {
      _ = try reading.receive(.ping(number))
      #expect(try reading.sent() == [.pong(number)])
    }
  }

  @Test("a PING of one's own is sent, and its PONG told")
  func ping() throws {
    let side = try Side.introduced(.client)
    side.machine.ping(7)
    #expect(try side.sent() == [.ping(7)])
    #expect(try side.receive(.pong(7)) == .pong(7))
  }

  @Test("CREDENTIAL is told to the server, and sent by the client")
  func credential() throws {
    #expect(try Side.introduced(.server).receive(.credential("t")) == .credential("t"))
    let client = try Side.introduced(.client)
    client.machine.sendCredential("t")
    #expect(try client.sent() == [.credential("t")])
  }

  @Test("CLOSE is the last frame of a side, whatever was waiting or is asked for later")
  func closeIsLast() throws {
    let side = try Side.serving()
    side.machine.send(.pattern(100_000), on: 1)
    _ = try side.receive(.ping(1))
    _ = try side.receive(.data(1, .pattern(16_000), flags: .endMessage))
    side.machine.took(16_000, on: 1)
    side.machine.close(.internalError, message: "over")
    side.machine.respond(.pattern(5), on: 1)
    side.machine.finish(Status(code: 0), on: 1, atOnce: true)
    side.machine.reset(1, .cancelled)
    side.machine.ping(1)
    side.machine.drain()
    side.machine.close(.done, message: "again")
    #expect(try side.sent() == [.close(.internalError, message: "over")])
    #expect(!side.hasOutgoing)
    #expect(try side.sent() == [])
  }
}
