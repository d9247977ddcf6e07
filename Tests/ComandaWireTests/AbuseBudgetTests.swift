import NIOCore
import Testing

@testable import ComandaWire

@Suite("What a peer may do to no purpose")
struct AbuseBudgetTests {
  /// What #expect can call: it takes no mutating function.
  private final class Bucket {
    private var budget: AbuseBudget

    init(points: Int, perSecond: Int) {
      budget = AbuseBudget(points: points, perSecond: perSecond)
    }

    func spend(_ points: UInt64, at now: NIODeadline) -> Bool {
      budget.spend(points, at: now)
    }
  }

  private static func at(_ milliseconds: UInt64) -> NIODeadline {
    .uptimeNanoseconds(milliseconds * 1_000_000)
  }

  @Test("a full budget allows its points at once and not one more")
  func burst() {
    let budget = Bucket(points: 100, perSecond: 10)
    for _ in 0..<10 { #expect(budget.spend(10, at: Self.at(5_000))) }
    #expect(!budget.spend(1, at: Self.at(5_000)))
  }

  @Test("points come back at their rate, up to the full budget")
  func refill() {
    let budget = Bucket(points: 100, perSecond: 10)
    #expect(budget.spend(100, at: Self.at(0)))
    #expect(!budget.spend(1, at: Self.at(99)))
    #expect(budget.spend(1, at: Self.at(100)))
    #expect(!budget.spend(1, at: Self.at(100)))
    #expect(budget.spend(100, at: Self.at(1_000_000)))
    #expect(!budget.spend(1, at: Self.at(1_000_000)))
  }

  /// A frame of a flood, and what the connection is told to be too much of.
  struct Flood: Sendable, CustomTestStringConvertible {
    let name: String
    let frame: @Sendable (Int) -> Frame
    var testDescription: String { name }
  }

  static let floods = [
    Flood(name: "PINGs") { .ping(UInt64($0)) },
    Flood(name: "PONGs") { .pong(UInt64($0)) },
    Flood(name: "empty segments") { _ in .data(1, ByteBuffer(), flags: []) },
    Flood(name: "limits that change nothing") { _ in .credit(0, limit: 1) },
    Flood(name: "limits that change nothing") { _ in .credit(1, limit: 1) },
    Flood(name: "frames of unknown types") { _ in .ignored(type: 200) },
    Flood(name: "CREDENTIALs") { .credential("\($0)") },
  ]

  @Test("a flood of frames that do nothing ends with EXCESSIVE_LOAD", arguments: floods)
  func flood(_ flood: Flood) throws {
    let side = try Side.serving()
    let error = #expect(throws: WireError.self) {
      for number in 0...Limits().abusePoints {
        _ = try side.receive(flood.frame(number))
        _ = try side.sent()
      }
    }
    #expect(error?.code == .excessiveLoad)
    #expect(error?.message == "too many \(flood.name) in too short a time")
  }

  /// A flood on call 1, which has ended.
  static let floodsOfServer = [
    Flood(name: "RESET") { _ in .reset(1, .cancelled) },
    Flood(name: "CREDIT") { .credit(1, limit: UInt64($0)) },
    Flood(name: "END_STREAM") { _ in .data(1, ByteBuffer(), flags: .endStream) },
    Flood(name: "empty messages") { _ in .data(1, ByteBuffer(), flags: .endMessage) },
    Flood(name: "segments of a byte") { _ in .data(1, .pattern(1), flags: []) },
    Flood(name: "full segments") { _ in .data(1, .pattern(16_375), flags: []) },
  ]

  static let floodsOfClient =
    floodsOfServer + [
      Flood(name: "METADATA") { _ in .metadata(1, []) },
      Flood(name: "RESPONSE") { _ in .response(1, ByteBuffer()) },
      Flood(name: "STATUS") { _ in .status(1, Status(code: 0)) },
    ]

  @Test("a flood of frames of a call that has ended ends with EXCESSIVE_LOAD, at the server", arguments: floodsOfServer)
  func floodAfterEndAtServer(_ flood: Flood) throws {
    try Self.floodAfterEnd(flood, at: Side.serving())
  }

  @Test("a flood of frames of a call that has ended ends with EXCESSIVE_LOAD, at the client", arguments: floodsOfClient)
  func floodAfterEndAtClient(_ flood: Flood) throws {
    try Self.floodAfterEnd(flood, at: Side.calling())
  }

  private static func floodAfterEnd(_ flood: Flood, at side: Side) throws {
    side.machine.reset(1, .cancelled)
    let window = Int(Limits().streamWindow)
    let error = #expect(throws: WireError.self) {
      for number in 0...Limits().abusePoints + 8 + window / 9 {
        let event = try side.receive(flood.frame(number))
        if event != .none { Issue.record("\(event) came of \(flood.name)") }
        _ = try side.sent()
      }
    }
    #expect(error == WireError(.excessiveLoad, "too many frames of calls that have ended in too short a time"))
  }

  @Test("what can have crossed the ends of calls costs nothing, however many calls end")
  func crossings() throws {
    let side = try Side.introduced(.server)
    for id in StreamID(1)...30_000 {
      _ = try side.receive(.open(id, .streaming))
      side.machine.finish(Status(code: 1), on: id, atOnce: true)
      side.machine.handlerEnded(of: id)
      for limit in UInt64(1)...5 { _ = try side.receive(.credit(id, limit: limit << 40)) }
      _ = try side.receive(.data(id, .pattern(100), flags: .endMessage))
      _ = try side.receive(.data(id, ByteBuffer(), flags: .endStream))
      _ = try side.receive(.reset(id, .cancelled))
      _ = try side.sent()
    }
  }

  @Test("a window of small messages that crossed the end of their call costs nothing; a message more costs a point")
  func crossingMessages() throws {
    var limits = Limits.fixed
    limits.abusePoints = 100
    let side = try Side.serving(limits: limits)
    side.machine.reset(1, .cancelled)
    func message() throws {
      _ = try side.receive(.data(1, .pattern(1), flags: .endMessage))
      _ = try side.sent()
    }
    for _ in 0..<limits.streamWindow / 10 { try message() }
    for _ in 0..<100 { try message() }
    #expect(throws: WireError.self) { try message() }
  }

  @Test("DATA that breaks its call's rules costs ten points at a client too")
  func violationsAtClient() throws {
    let frames: [(name: String, before: Frame?, frame: Frame)] = [
      ("END_STREAM", nil, .data(1, ByteBuffer(), flags: .endStream)),
      ("RESPONSE after DATA", .data(1, .pattern(1), flags: .endMessage), .response(1, ByteBuffer())),
      ("STATUS OK within a message", .data(1, .pattern(1), flags: []), .status(1, Status(code: 0))),
    ]
    for (name, before, frame) in frames {
      let side = try Side.calling()
      if let before { _ = try side.receive(before) }
      for _ in 0..<1_000 { _ = try side.receive(frame) }
      let error = #expect(throws: WireError.self, "\(name)") { _ = try side.receive(frame) }
      #expect(error?.message == "too many violations of calls in too short a time")
    }
  }

  @Test("PONGs that answer cost nothing, however many", arguments: [ConnectionStateMachine.Role.server, .client])
  func answers(role: ConnectionStateMachine.Role) throws {
    let side = try Side.introduced(role)
    for number in 0..<UInt64(3 * Limits().abusePoints) {
      side.machine.ping(number)
      #expect(try side.receive(.pong(number)) == .pong(number))
    }
    let error = #expect(throws: WireError.self) {
      for number in 0...UInt64(Limits().abusePoints) { _ = try side.receive(.pong(number)) }
    }
    #expect(error?.code == .excessiveLoad)
  }

  @Test("calls that are opened and reset at once, a thousand a second, go on for ever; ten thousand at once do not")
  func resets() throws {
    let side = try Side.introduced(.server)
    func openAndReset(_ id: StreamID) throws {
      _ = try side.receive(.open(id, .streaming))
      _ = try side.receive(.reset(id, .cancelled))
      side.machine.handlerEnded(of: id)
      _ = try side.sent()
    }
    var id: StreamID = 0
    for second in 0..<30 {
      side.machine.advance(to: Self.at(UInt64(second) * 1_000))
      for _ in 0..<1_000 {
        id += 1
        try openAndReset(id)
      }
    }
    let error = #expect(throws: WireError.self) {
      for _ in 0...10_000 {
        id += 1
        try openAndReset(id)
      }
    }
    #expect(error == WireError(.excessiveLoad, "too many resets of calls in too short a time"))
  }
}
