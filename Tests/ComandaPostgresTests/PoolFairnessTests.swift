import FoundationEssentials
import Testing

@testable import ComandaPostgres

@Suite("Turns and lanes of the pool's machine")
struct PoolFairnessTests {
  typealias Pool = PoolStateMachine<String, String>

  private let start = ContinuousClock.now
  private let red = UUID()
  private let blue = UUID()
  private let green = UUID()

  private static func leased(_ connections: Int, perTenant: Int) -> PostgresConfiguration.LeasedLimits {
    .init(
      connections: connections, connectionsPerTenant: perTenant, statementTimeout: nil, waiters: 100,
      waitersPerTenant: 10)
  }

  private static func pipelined(inFlight: Int, perTenant: Int) -> PostgresConfiguration.PipelinedLimits {
    .init(
      connections: 1, statementTimeout: .seconds(5), inFlightPerConnection: inFlight, inFlightPerTenant: perTenant,
      waiters: 100, waitersPerTenant: 10)
  }

  /// A pool whose connections are all up, since somebody has asked for them.
  private func connectedPool(_ limits: Pool.Limits) -> Pool {
    var pool = Pool(limits)
    for lane in limits.pipelined.indices { _ = pool.call("", of: nil, in: lane, now: start) }
    for (lane, limits) in limits.leased.enumerated() {
      for _ in 0..<limits.connections { _ = pool.lease("", of: nil, in: lane, now: start) }
    }
    for slot in pool.slotsToConnect(now: start) { _ = pool.connected(slot) }
    while let (_, slot) = pool.nextCall() { pool.callEnded(slot, of: nil) }
    var slots: [Int] = []
    while let (_, slot) = pool.nextLease(now: .now) { slots.append(slot) }
    for slot in slots { _ = pool.release(slot, reusable: true) }
    #expect(pool.isIdle)
    return pool
  }

  @Test("those who wait are served in turn by tenant, and in their order within one")
  func turns() {
    var pool = connectedPool(.init(pipelined: [], leased: [Self.leased(1, perTenant: 1)]))
    #expect(pool.lease("r0", of: red, in: 0, now: start) == .served(0))
    for name in ["r1", "r2", "r3"] { #expect(pool.lease(name, of: red, in: 0, now: start) == .waits) }
    for name in ["b1", "b2"] { #expect(pool.lease(name, of: blue, in: 0, now: start) == .waits) }
    #expect(pool.lease("p1", of: nil, in: 0, now: start) == .waits)
    var served: [String] = []
    while pool.release(0, reusable: true) == .keep, let next = pool.nextLease(now: .now) { served.append(next.0) }
    #expect(served == ["r1", "b1", "p1", "r2", "b2", "r3"])
  }

  @Test("a tenant at its bound waits, though connections are idle, and others do not wait for it")
  func bound() {
    var pool = connectedPool(.init(pipelined: [], leased: [Self.leased(3, perTenant: 2)]))
    #expect(pool.lease("r1", of: red, in: 0, now: start) == .served(0))
    #expect(pool.lease("r2", of: red, in: 0, now: start) == .served(1))
    #expect(pool.lease("r3", of: red, in: 0, now: start) == .waits)
    #expect(pool.nextLease(now: .now) == nil)
    #expect(pool.lease("b1", of: blue, in: 0, now: start) == .served(2))
    #expect(pool.lease("b2", of: blue, in: 0, now: start) == .waits)
    #expect(pool.release(2, reusable: true) == .keep)
    // Red came first but is still at its bound.
    #expect(pool.nextLease(now: .now)?.0 == "b2")
    #expect(pool.release(1, reusable: true) == .keep)
    #expect(pool.nextLease(now: .now)?.0 == "r3")
    // The platform's own work has no bound but the lane's.
    for slot in 0...2 { #expect(pool.release(slot, reusable: true) == .keep) }
    for slot in 0...2 { #expect(pool.lease("p", of: nil, in: 0, now: start) == .served(slot)) }
  }

  @Test("no more connections are made than its bound lets a tenant hold")
  func connectsWithinBound() {
    var pool = Pool(.init(pipelined: [], leased: [Self.leased(4, perTenant: 2)]))
    for name in ["r1", "r2", "r3", "r4"] { _ = pool.lease(name, of: red, in: 0, now: start) }
    #expect(pool.slotsToConnect(now: start) == [0, 1])
    _ = pool.lease("b1", of: blue, in: 0, now: start)
    #expect(pool.slotsToConnect(now: start) == [2])
    for slot in 0...2 { #expect(pool.connected(slot) == true) }
    #expect(pool.nextLease(now: .now)?.0 == "r1")
    #expect(pool.nextLease(now: .now)?.0 == "b1")
    #expect(pool.nextLease(now: .now)?.0 == "r2")
    #expect(pool.slotsToConnect(now: start) == [])
  }

  @Test("as many of one tenant wait as may, and those of another are not refused for it")
  func waiterBound() {
    var pool = connectedPool(.init(pipelined: [], leased: [Self.leased(1, perTenant: 1)]))
    #expect(pool.lease("r", of: red, in: 0, now: start) == .served(0))
    for _ in 0..<10 { #expect(pool.lease("r", of: red, in: 0, now: start) == .waits) }
    #expect(pool.lease("r", of: red, in: 0, now: start) == .refused(.tooManyWaiters))
    #expect(pool.lease("b", of: blue, in: 0, now: start) == .waits)
  }

  @Test("lanes do not wait for each other")
  func lanes() {
    var pool = connectedPool(
      .init(
        pipelined: [Self.pipelined(inFlight: 1, perTenant: 1), Self.pipelined(inFlight: 1, perTenant: 1)],
        leased: [Self.leased(1, perTenant: 1), Self.leased(1, perTenant: 1)]))
    for lane in 0...1 {
      #expect(pool.call("r", of: red, in: lane, now: start) == .served(lane))
      #expect(pool.call("r", of: red, in: lane, now: start) == .waits)
      #expect(pool.lease("r", of: red, in: lane, now: start) == .served(2 + lane))
      #expect(pool.lease("r", of: red, in: lane, now: start) == .waits)
    }
    pool.callEnded(1, of: red)
    #expect(pool.nextCall()?.1 == 1)
    #expect(pool.nextCall() == nil)
    #expect(pool.release(3, reusable: true) == .keep)
    #expect(pool.nextLease(now: .now)?.1 == 3)
    #expect(pool.nextLease(now: .now) == nil)
  }

  @Test("a flood of calls of one tenant leaves room for another's, which overtakes those that wait")
  func flood() {
    var pool = connectedPool(.init(pipelined: [Self.pipelined(inFlight: 4, perTenant: 3)], leased: []))
    for number in 1...3 { #expect(pool.call("r\(number)", of: red, in: 0, now: start) == .served(0)) }
    for number in 4...6 { #expect(pool.call("r\(number)", of: red, in: 0, now: start) == .waits) }
    #expect(pool.call("b1", of: blue, in: 0, now: start) == .served(0))
    #expect(pool.call("b2", of: blue, in: 0, now: start) == .waits)
    #expect(pool.call("g1", of: green, in: 0, now: start) == .waits)
    var served: [String] = []
    for ended in [red, red, blue, red] {
      pool.callEnded(0, of: ended)
      while let next = pool.nextCall() { served.append(next.0) }
    }
    #expect(served == ["r4", "b2", "g1", "r5"])
  }

  @Test("deadlines pass by tenant, and nothing wakes the thread for one who waits no longer")
  func deadlines() {
    var pool = Pool(.init(pipelined: [], leased: [Self.leased(1, perTenant: 1)]))
    _ = pool.lease("r1", of: red, in: 0, now: start)
    _ = pool.lease("b1", of: blue, in: 0, now: start + .seconds(1))
    _ = pool.lease("r2", of: red, in: 0, now: start + .seconds(2))
    #expect(pool.nextDeadline == start + .seconds(10))
    #expect(pool.expired(now: start + .seconds(11)).leases == ["r1", "b1"])
    #expect(pool.nextDeadline == start + .seconds(12))
    pool.withdraw(of: red, in: 0) { $0 == "r2" }
    #expect(pool.nextDeadline == nil)
  }
}
