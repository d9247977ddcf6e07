import NIOCore
import Testing

@testable import ComandaWire

@Suite("Windows that grow")
final class ReceiveWindowsTests {
  private var windows = ReceiveWindows(Limits())

  @Test("a window that was filled within a round trip doubles, up to its maximum; then probes end")
  func growth() {
    var received: UInt64 = 0
    var sizes: [UInt64] = []
    while let number = probe(&received) {
      received += windows.stream
      #expect(answered(number, received))
      sizes.append(windows.stream)
    }
    let doubled: [UInt64] = [512 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20]
    #expect(sizes == doubled)
    #expect(windows.connection == 16 << 20)
  }

  @Test("a round trip that carried less than two thirds of the window changes nothing, and the next probe comes later")
  func noGrowth() throws {
    var received: UInt64 = 0
    var waits: [UInt64] = []
    for _ in 0..<12 {
      let before = received
      let number = try #require(probe(&received))
      waits.append(received - before)
      received += 10_000
      #expect(answered(number, received))
    }
    #expect(windows.stream == 256 << 10)
    #expect(zip(waits, waits.dropFirst()).allSatisfy { $0 <= $1 })
    #expect((waits.last ?? 0) >= 60 << 20)
  }

  @Test("one probe is under way at a time, and other PONGs are not its answer")
  func oneAtATime() throws {
    var received: UInt64 = 0
    let number = try #require(probe(&received))
    let another = windows.probeDue(received: received + (100 << 20))
    #expect(another == nil)
    #expect(!answered(0, received))
    #expect(!answered(number + 1, received))
    #expect(answered(number, received))
    #expect(!answered(number, received))
  }

  private func answered(_ number: UInt64, _ received: UInt64) -> Bool {
    windows.answered(number, received: received)
  }

  /// Receives until a probe is due; nil when none will be.
  private func probe(_ received: inout UInt64) -> UInt64? {
    for _ in 0..<10_000 {
      if let number = windows.probeDue(received: received) { return number }
      received += 16_384
    }
    return nil
  }

  @Test("a sender that is held up by the window gets more of it, and no more than the maximum")
  func throughTheMachine() throws {
    let side = try Side.serving(limits: Limits())
    var limits: [StreamID: UInt64] = [0: Limits().connectionWindow, 1: Limits().streamWindow]
    var sent: UInt64 = 0
    var waiting: [Frame] = []
    for _ in 0..<6_000 {
      // A round trip: all that the credit allows, then the answers to what came before.
      while sent + 16_384 <= min(limits[0] ?? 0, limits[1] ?? 0) {
        let event = try side.receive(.data(1, ByteBuffer(repeating: 0, count: 16_375), flags: .endMessage))
        if case .message(let id, _, let cost, _) = event { side.machine.took(cost, on: id) }
        sent += 16_384
      }
      for frame in waiting { _ = try side.receive(frame) }
      waiting = []
      for frame in try side.sent() {
        switch frame {
        case .credit(let id, let limit): limits[id] = limit
        case .ping(let number): waiting.append(.pong(number))
        default: Issue.record("unexpected \(frame)")
        }
      }
      if sent > 200 << 20 { break }
    }
    #expect((limits[1] ?? 0) - sent <= 8 << 20)
    #expect((limits[1] ?? 0) - sent > 4 << 20)
    #expect((limits[0] ?? 0) - sent <= 16 << 20)
  }

  @Test("a call whose bytes wait without credit is stalled after the time, and not when it moves")
  func stalled() throws {
    func at(_ seconds: UInt64) -> NIODeadline { .uptimeNanoseconds(seconds * 1_000_000_000) }
    let side = try Side.serving(peer: Limits.beforeHello)
    side.machine.advance(to: at(10))
    side.machine.send(ByteBuffer(repeating: 0, count: 1 << 20), on: 1)
    _ = try side.sent()
    side.machine.advance(to: at(69))
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [])
    side.machine.advance(to: at(71))
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [1])
    _ = try side.receive(.credit(1, limit: 512 << 10))
    _ = try side.sent()
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [])
    _ = try side.receive(.credit(1, limit: 2 << 20))
    _ = try side.receive(.credit(0, limit: 4 << 20))
    _ = try side.sent()
    side.machine.advance(to: at(500))
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [], "nothing waits")
  }
}

@Suite("Calls that are stalled")
struct StalledCallTests {
  private static func at(_ seconds: UInt64) -> NIODeadline {
    .uptimeNanoseconds(seconds * 1_000_000_000)
  }

  /// A server with calls whose own credit is ample, each with an answer to send; the connection has the default's.
  private static func serving(_ calls: ClosedRange<StreamID>, answer: Int) throws -> Side {
    var hello = Limits.beforeHello
    hello.streamWindow = 1 << 40
    let side = try Side.introduced(.server, peer: hello)
    side.machine.advance(to: at(10))
    for id in calls {
      _ = try side.receive(.open(id, .unary))
      side.machine.send(.pattern(answer), on: id)
    }
    return side
  }

  @Test("calls that have their turn seldom are not stalled while the connection gets credit")
  func steadyConnection() throws {
    let side = try Self.serving(1...100, answer: 64 << 10)
    _ = try side.sent()
    var limit: UInt64 = 1 << 20
    for step in UInt64(1)...20 {
      // Ten frames each 30 s, so that each call has its turn each 300 s.
      side.machine.advance(to: Self.at(10 + 30 * step))
      #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [], "step \(step)")
      limit += 10 * 16_384
      _ = try side.receive(.credit(0, limit: limit))
      #expect(try side.sent().dataCost() == 10 * 16_384)
    }
  }

  @Test("calls that wait for the connection's credit are stalled when none comes, or none that lets a byte leave")
  func stalledConnection() throws {
    let side = try Self.serving(1...100, answer: 64 << 10)
    _ = try side.sent()
    side.machine.advance(to: Self.at(60))
    _ = try side.receive(.credit(0, limit: (1 << 20) + 9))
    #expect(try side.sent() == [])
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [])
    side.machine.advance(to: Self.at(71))
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)).sorted() == Array(1...100))
  }

  @Test("a call that begins to wait when the connection has been without credit for long has its own time")
  func lateComer() throws {
    let side = try Self.serving(1...100, answer: 64 << 10)
    _ = try side.sent()
    side.machine.advance(to: Self.at(65))
    _ = try side.receive(.open(101, .unary))
    side.machine.send(.pattern(20_000), on: 101)
    _ = try side.sent()
    side.machine.advance(to: Self.at(75))
    #expect(!side.machine.stalledCalls(longerThan: .seconds(60)).contains(101))
    side.machine.advance(to: Self.at(126))
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)).contains(101))
  }

  @Test("a call that has credit and waits for its turn on a slow line is not stalled")
  func slowLine() throws {
    let side = try Self.serving(1...3, answer: 64 << 10)
    _ = try side.sent(budget: 10_000)
    side.machine.advance(to: Self.at(500))
    #expect(side.machine.stalledCalls(longerThan: .seconds(60)) == [])
  }
}

@Suite("What waits to be sent")
struct OutboundBoundTests {
  @Test("calls that get no credit hold a bound together, besides a message each; credit lets their writers go on")
  func connectionBound() throws {
    var limits = Limits.fixed
    limits.connectionOutboundHighWater = 1 << 20
    let side = try Side.introduced(.server, limits: limits, peer: .generous)
    let message = ByteBuffer(repeating: 0, count: 64 << 10)
    var queued = 0
    for id in StreamID(1)...100 {
      _ = try side.receive(.open(id, .streaming))
      repeat {
        side.machine.send(message, on: id)
        queued += message.readableBytes
      } while !side.isBackedUp(id)
    }
    #expect(queued <= (1 << 20) + 100 * message.readableBytes + (256 << 10))
    let before = side.drained.count
    for _ in 0..<200 { _ = try side.sent() }
    #expect(side.drained.count > before)
    #expect(!side.isBackedUp(1))
  }
}
