import NIOCore
import Testing

@testable import ComandaWire

@Suite("What calls hold")
struct MemoryTests {
  @Test("a call's own bound on messages holds while one arrives")
  func limitedMessages() throws {
    let server = try Side.serving()
    server.machine.limitMessages(of: 1, to: 100)
    #expect(try server.receive(.data(1, .pattern(60), flags: [])) == .none)
    #expect(try server.receive(.data(1, .pattern(41), flags: [])) == .violation(1, .messageTooLarge(limit: 100)))
    _ = try server.receive(.open(2, .streaming))
    server.machine.limitMessages(of: 2, to: 100)
    guard case .message = try server.receive(.data(2, .pattern(100), flags: .endMessage)) else {
      Issue.record("no message")
      return
    }
    #expect(
      try server.receive(.data(2, .pattern(101), flags: .endMessage)) == .violation(2, .messageTooLarge(limit: 100)))
  }

  @Test(
    "a bound above the connection's changes nothing, one below nothing refuses everything", arguments: [Int.max, -1])
  func oddBounds(bytes: Int) throws {
    let server = try Side.serving()
    server.machine.limitMessages(of: 1, to: bytes)
    let event = try server.receive(.data(1, .pattern(10), flags: []))
    #expect(event == (bytes > 0 ? .none : .violation(1, .messageTooLarge(limit: 0))))
  }

  @Test("a call counts from its OPEN, with its metadata and what came of its messages, until it ends")
  func held() throws {
    let server = try Side.introduced(.server)
    #expect(server.heldBytes == 0)
    _ = try server.receive(.open(1, .streaming))
    let plain = server.heldBytes
    #expect(plain > 500)
    let field = HeaderField(key: "k", value: String(repeating: "v", count: 2_000))
    _ = try server.receive(.open(2, Open(method: "s/m", metadata: [field])))
    #expect(server.heldBytes > 2 * plain + 2_000)
    #expect(server.greediestCall == 2)
    let before = server.heldBytes
    _ = try server.receive(.data(1, .pattern(8_000), flags: []))
    #expect(server.heldBytes == before + 8_000)
    #expect(server.greediestCall == 1)
    server.machine.reset(1, .cancelled)
    server.machine.reset(2, .cancelled)
    #expect(server.heldBytes == 0)
  }

  @Test("a message that waits costs more than its bytes; taking it ends that, keeping it does not")
  func messages() throws {
    let server = try Side.serving()
    let before = server.heldBytes
    for _ in 0..<10 { _ = try server.receive(.data(1, ByteBuffer(), flags: .endMessage)) }
    #expect(server.heldBytes == before + 10 * (9 + 128))
    for _ in 0..<9 { server.machine.took(9, on: 1) }
    #expect(server.heldBytes == before + 9 + 128)
    server.machine.took(9, on: 1)
    server.machine.keep(9, on: 1)
    #expect(server.heldBytes == before + 9)
  }

  @Test("answers count until they have left")
  func answers() throws {
    let server = try Side.serving()
    let before = server.heldBytes
    server.machine.send(.pattern(100_000), on: 1)
    #expect(server.heldBytes == before + 100_000)
    server.machine.finish(Status(code: 0), on: 1)
    while server.hasOutgoing { _ = try server.sent(budget: 1_000) }
    #expect(server.heldBytes == 0)
  }

  @Test("whatever calls do, nothing is held once they have ended", arguments: 0..<50 as Range<UInt64>)
  func random(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let server = try Side.introduced(.server)
    var waiting: [StreamID: [UInt64]] = [:]
    for _ in 0..<300 {
      let id = StreamID.random(in: 1...max(1, server.machine.lastOpened), using: &random)
      switch Int.random(in: 0..<8, using: &random) {
      case 0 where server.machine.lastOpened < 60:
        _ = try server.receive(.open(server.machine.lastOpened + 1, .streaming))
      case 1, 2, 3:
        guard server.machine.lastOpened > 0 else { continue }
        let flags: DataFlags = Bool.random(using: &random) ? .endMessage : []
        let size = Int.random(in: 1...900, using: &random)
        if case .message(_, _, let cost, _) = try server.receive(.data(id, .pattern(size), flags: flags)) {
          waiting[id, default: []].append(cost)
        }
      case 4:
        guard let cost = waiting[id]?.popLast() else { continue }
        server.machine.took(cost, on: id)
        if Bool.random(using: &random) { server.machine.keep(cost, on: id) }
      case 5: server.machine.send(.pattern(Int.random(in: 0...5_000, using: &random)), on: id)
      case 6: _ = try server.sent(budget: 3_000)
      default: server.machine.finish(Status(code: 0), on: id, atOnce: Bool.random(using: &random))
      }
    }
    for id in server.openStreamIDs { server.machine.reset(id, .cancelled) }
    #expect(server.heldBytes == 0)
    #expect(server.greediestCall == nil)
  }
}
