import NIOCore
import Testing

@testable import ComandaTransport

@Suite("What a connection's age and silence call for")
struct ConnectionTimekeeperTests {
  private typealias Action = ConnectionTimekeeper.Action

  private static func at(_ seconds: Double) -> NIODeadline {
    .uptimeNanoseconds(UInt64((seconds + 1_000) * 1e9))
  }

  /// A keeper that #expect can call.
  private final class Keeper {
    var times: ConnectionTimekeeper

    init(_ settings: ServerSettings = ServerSettings(), chance: Double = 0) {
      times = ConnectionTimekeeper(settings, at: at(0), chance: chance)
    }

    /// A connection that is open since the start.
    static func open(_ settings: ServerSettings = ServerSettings(), chance: Double = 0) -> Keeper {
      let keeper = Keeper(settings, chance: chance)
      keeper.times.handshakeCompleted(at: at(0))
      keeper.times.introduced(at: at(0))
      return keeper
    }

    func check(_ seconds: Double, openCalls: Int = 0) -> Action {
      times.check(at: at(seconds), openCalls: openCalls)
    }

    func heard(_ seconds: Double) -> Keeper {
      times.heard(at: at(seconds))
      return self
    }
  }

  @Test("a handshake has its time, whatever bytes come")
  func handshake() {
    let keeper = Keeper()
    #expect(keeper.check(9) == .none)
    #expect(keeper.heard(9.5).check(10) == .none)
    #expect(keeper.check(10.1) == .cut(reason: "the TLS handshake took longer than 10 s"))
  }

  @Test("a HELLO has its time after the handshake, whatever bytes come")
  func introduction() {
    let keeper = Keeper()
    keeper.times.handshakeCompleted(at: Self.at(9))
    #expect(keeper.heard(10.5).check(11) == .none)
    #expect(keeper.check(11.1) == .cut(reason: "no HELLO came within 2 s"))
  }

  @Test("a silent peer is asked once; one that answers lives on, one that does not is cut")
  func keepalive() {
    let keeper = Keeper.open()
    #expect(keeper.check(45, openCalls: 1) == .none)
    #expect(keeper.check(45.1, openCalls: 1) == .ping)
    #expect(keeper.check(60, openCalls: 1) == .none)
    #expect(keeper.heard(60).check(100, openCalls: 1) == .none)
    #expect(keeper.check(105.1, openCalls: 1) == .ping)
    #expect(keeper.check(125.1, openCalls: 1) == .none)
    #expect(keeper.check(125.2, openCalls: 1) == .cut(reason: "no PONG came within 20 s"))
  }

  @Test("a connection without calls is drained after its time, once; one with a call is not")
  func idle() {
    let keeper = Keeper.open()
    #expect(keeper.heard(1_700).check(1_700, openCalls: 1) == .none)
    #expect(keeper.heard(3_500).check(3_500) == .none)
    #expect(keeper.check(3_500.1) == .drain(reason: "no call for 1800 s"))
    keeper.times.drainBegan()
    #expect(keeper.check(3_501) == .none)
  }

  @Test("an old connection is drained, even with calls; the jitter moves the moment by a tenth to either side")
  func age() {
    let day = 86_400.0
    for (chance, end) in [(0.0, day), (1.0, 1.1 * day), (-1.0, 0.9 * day)] {
      let keeper = Keeper.open(chance: chance)
      #expect(keeper.heard(end - 1).check(end - 1, openCalls: 1) == .none)
      #expect(keeper.check(end + 1, openCalls: 1) == .drain(reason: "the connection is old"))
    }
  }

  @Test("a connection that was never used is drained soon; a call or a credential gives it the whole idle time")
  func firstCall() {
    let (unused, used) = (Keeper.open(), Keeper.open())
    used.times.used(at: Self.at(59))
    #expect(unused.heard(60).check(60) == .none)
    #expect(unused.check(60.1) == .drain(reason: "neither a call nor a credential came within 60 s"))
    #expect(used.heard(1_859).check(1_859) == .none)
    #expect(used.check(1_859.1) == .drain(reason: "no call for 1800 s"))
  }

  @Test("times as good as endless never come", arguments: [-1.0, 0, 1])
  func endless(chance: Double) throws {
    var bounds = ServerBounds()
    try bounds.set("idle-timeout", to: "9999999h")
    try bounds.set("maximum-age", to: "9999999h")
    let keeper = Keeper.open(bounds.settings, chance: chance)
    #expect(keeper.check(0, openCalls: 1) == .none)
    let century = 100 * 365 * 86_400.0
    #expect(keeper.heard(century).check(century) == .none)
  }

  @Test("a peer whose socket takes nothing is cut; one whose socket takes a little now and then is not")
  func blocked() {
    let keeper = Keeper.open()
    keeper.times.writability(false, at: Self.at(10))
    keeper.times.writability(false, at: Self.at(60))
    #expect(keeper.heard(69).check(69, openCalls: 1) == .none)
    keeper.times.writability(true, at: Self.at(69))
    keeper.times.writability(false, at: Self.at(69))
    #expect(keeper.heard(129).check(129, openCalls: 1) == .none)
    #expect(keeper.heard(130).check(130, openCalls: 1) == .cut(reason: "nothing was read for 60 s"))
  }

  @Test("a peer that reads slowly and steadily is not cut, although its socket never has room; one that stops is")
  func slowReader() {
    let keeper = Keeper.open()
    keeper.times.writability(false, at: Self.at(10))
    var bytes = 100_000
    for second in stride(from: 10.0, to: 500, by: 10) {
      if second.truncatingRemainder(dividingBy: 50) == 0 { bytes -= 1_000 }
      keeper.times.unwritten(bytes, at: Self.at(second))
      #expect(keeper.heard(second).check(second, openCalls: 1) == .none, "\(second) s")
    }
    for second in stride(from: 500.0, to: 511, by: 10) { keeper.times.unwritten(bytes, at: Self.at(second)) }
    #expect(keeper.heard(509).check(509, openCalls: 1) == .none)
    keeper.times.unwritten(bytes + 50, at: Self.at(510))
    #expect(keeper.heard(511).check(511, openCalls: 1) == .cut(reason: "nothing was read for 60 s"))
  }
}
