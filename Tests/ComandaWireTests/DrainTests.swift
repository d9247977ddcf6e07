import NIOCore
import Testing

@testable import ComandaWire

@Suite("Drain, as the server sees it")
struct DrainTests {
  @Test("DRAIN is sent once")
  func sentOnce() throws {
    let server = try Side.introduced(.server)
    server.machine.drain()
    server.machine.drain()
    #expect(try server.sent() == [.drain])
  }

  @Test("OPEN in state draining crossed the DRAIN, and is served; in state drained it ends the connection")
  func open() throws {
    let server = try Side.introduced(.server)
    server.machine.drain()
    #expect(try server.receive(.open(1, .unary)) == .opened(1, .unary))
    #expect(try server.receive(.drainAck) == .drainAcknowledged)
    #expect(violation { _ = try server.receive(.open(2, .unary)) } == .protocolError)
  }

  @Test("the drain is through when it is acknowledged, no call is open, and nothing waits to be sent")
  func through() throws {
    let server = try Side.serving()
    server.machine.drain()
    _ = try server.sent()
    #expect(!server.isDrained)
    _ = try server.receive(.drainAck)
    #expect(!server.isDrained)
    server.machine.finish(Status(code: 14), on: 1)
    #expect(!server.isDrained)
    #expect(try server.sent() == [.status(1, Status(code: 14))])
    #expect(server.isDrained)
  }

  @Test("a drain without open calls still awaits its acknowledgement: a call may be on its way")
  func awaitsAcknowledgement() throws {
    let server = try Side.introduced(.server)
    server.machine.drain()
    _ = try server.sent()
    #expect(!server.isDrained)
    _ = try server.receive(.drainAck)
    #expect(server.isDrained)
  }

  @Test("DRAIN_ACK without DRAIN, or a second one, ends the connection")
  func unasked() throws {
    let server = try Side.introduced(.server)
    #expect(violation { _ = try server.receive(.drainAck) } == .protocolError)
    let drained = try Side.introduced(.server)
    drained.machine.drain()
    _ = try drained.receive(.drainAck)
    #expect(violation { _ = try drained.receive(.drainAck) } == .protocolError)
  }

  @Test("a client has no DRAIN of its own")
  func client() throws {
    let client = try Side.introduced(.client)
    client.machine.drain()
    #expect(try client.sent() == [])
    #expect(client.canOpen)
  }
}
