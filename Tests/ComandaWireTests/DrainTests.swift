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

  @Test("a client has no DRAIN of its own")
  func client() throws {
    let client = try Side.introduced(.client)
    client.machine.drain()
    #expect(try client.sent() == [])
    #expect(client.canOpen)
  }
}
