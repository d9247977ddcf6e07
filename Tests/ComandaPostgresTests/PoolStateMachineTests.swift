import Testing

@testable import ComandaPostgres

@Suite("The pool's machine")
struct PoolStateMachineTests {
  typealias Pool = PoolStateMachine<String, String>

  private let start = ContinuousClock.now

  /// One lane of two shared connections (slots 0 and 1), and one of two leased ones (slots 2 and 3).
  private func limits() -> Pool.Limits {
    Pool.Limits(
      pipelined: [
        .init(
          connections: 2, statementTimeout: .seconds(5), inFlightPerConnection: 2, inFlightPerTenant: 3, waiters: 2,
          waitersPerTenant: 2)
      ],
      leased: [
        .init(connections: 2, connectionsPerTenant: 1, statementTimeout: nil, waiters: 2, waitersPerTenant: 2)
      ],
      acquireTimeout: .seconds(10))
  }

  /// A pool whose two shared connections are up.
  private func connectedPool() -> Pool {
    var pool = Pool(limits())
    #expect(pool.call("first", now: start) == .waits)
    #expect(pool.slotsToConnect(now: start) == [0, 1])
    #expect(pool.connected(0) == true)
    #expect(pool.connected(1) == true)
    #expect(pool.nextCall()?.0 == "first")
    pool.callEnded(0)
    #expect(pool.isIdle)
    return pool
  }

  @Test("nothing connects before somebody asks")
  func lazy() {
    var pool = Pool(limits())
    #expect(pool.slotsToConnect(now: start) == [])
    #expect(pool.lease("a", now: start) == .waits)
    #expect(pool.slotsToConnect(now: start) == [2])
    #expect(pool.slotsToConnect(now: start) == [])
  }

  @Test("calls go to the connection with the fewest under way")
  func balance() {
    var pool = connectedPool()
    #expect(pool.call("a", now: start) == .served(0))
    #expect(pool.call("b", now: start) == .served(1))
    #expect(pool.call("c", now: start) == .served(0))
    pool.callEnded(1)
    #expect(pool.call("d", now: start) == .served(1))
  }

  @Test("when all are full calls wait in turn, and beyond the bound they are refused")
  func full() {
    var pool = connectedPool()
    for call in ["a", "b", "c", "d"] { #expect(pool.call(call, now: start) != .waits) }
    #expect(pool.call("e", now: start) == .waits)
    #expect(pool.call("f", now: start) == .waits)
    #expect(pool.call("g", now: start) == .refused(.tooManyWaiters))
    #expect(pool.nextCall() == nil)
    pool.callEnded(1)
    let next = pool.nextCall()
    #expect(next?.0 == "e" && next?.1 == 1)
    // Those who wait come before those who come later.
    pool.callEnded(0)
    #expect(pool.call("h", now: start) == .waits)
    #expect(pool.nextCall()?.0 == "f")
  }

  @Test("waiting ends at the deadline, the longest waiting first")
  func deadlines() {
    var pool = Pool(limits())
    _ = pool.call("a", now: start)
    _ = pool.lease("b", now: start + .seconds(1))
    _ = pool.slotsToConnect(now: start)
    #expect(pool.nextDeadline == start + .seconds(10))
    #expect(pool.expired(now: start + .seconds(9)).calls == [])
    #expect(pool.expired(now: start + .seconds(10)).calls == ["a"])
    #expect(pool.expired(now: start + .seconds(11)).leases == ["b"])
    #expect(pool.nextDeadline == nil)
  }

  @Test("after a failure one connection is tried at a time, later and later, until one succeeds")
  func backoff() {
    var pool = Pool(limits())
    _ = pool.call("a", now: start)
    #expect(pool.slotsToConnect(now: start) == [0, 1])
    #expect(pool.connectFailed(0, permanent: false, now: start, jitter: 1).calls == [])
    #expect(pool.connectFailed(1, permanent: false, now: start, jitter: 1).calls == [])
    #expect(pool.slotsToConnect(now: start) == [])
    let retry = start + Backoff().delay(failures: 2, jitter: 1)
    #expect(pool.nextDeadline == retry)
    #expect(pool.slotsToConnect(now: retry) == [0])
    #expect(pool.slotsToConnect(now: retry + .seconds(1)) == [])
    // While the attempt is under way nothing wakes the thread but the waiter's deadline.
    #expect(pool.nextDeadline == start + .seconds(10))
    #expect(pool.connected(0) == true)
    #expect(pool.slotsToConnect(now: retry + .seconds(1)) == [1])
    #expect(pool.nextCall()?.0 == "a")
  }

  @Test("a failure that waiting cannot mend ends the waiting")
  func permanentFailure() {
    var pool = Pool(limits())
    _ = pool.call("a", now: start)
    _ = pool.lease("b", now: start)
    _ = pool.slotsToConnect(now: start)
    let unserved = pool.connectFailed(0, permanent: true, now: start, jitter: 0)
    #expect(unserved.calls == ["a"] && unserved.leases == ["b"])
  }

  @Test("a lost shared connection is connected again without anybody asking")
  func lost() {
    var pool = connectedPool()
    _ = pool.call("a", now: start)
    pool.lost(0)
    #expect(pool.isIdle)
    #expect(pool.call("b", now: start) == .served(1))
    #expect(pool.slotsToConnect(now: start) == [0])
    // What ends of a connection that was lost is not counted twice.
    #expect(pool.connected(0) == true)
    #expect(pool.call("c", now: start) == .served(0))
    pool.lost(0)
    pool.callEnded(0)
    #expect(!pool.isIdle)
    pool.callEnded(1)
    #expect(pool.isIdle)
  }

  @Test("as many leased connections are made as are waited for, within the bound")
  func leases() {
    var pool = Pool(limits())
    _ = pool.lease("a", now: start)
    #expect(pool.slotsToConnect(now: start) == [2])
    _ = pool.lease("b", now: start)
    #expect(pool.slotsToConnect(now: start) == [3])
    #expect(pool.lease("c", now: start) == .refused(.tooManyWaiters))
    #expect(pool.connected(3) == true)
    let granted = pool.nextLease(now: .now)
    #expect(granted?.0 == "a" && granted?.1 == 3)
    #expect(pool.nextLease(now: .now) == nil)
    #expect(pool.release(3, reusable: true) == .keep)
    #expect(pool.nextLease(now: .now)?.0 == "b")
    #expect(pool.release(3, reusable: false) == .close)
  }

  @Test("a lease keeps its place when its connection breaks, and gives it back empty")
  func lostLease() {
    var pool = Pool(limits())
    _ = pool.lease("a", now: start)
    _ = pool.slotsToConnect(now: start)
    _ = pool.connected(2)
    _ = pool.nextLease(now: .now)
    pool.lost(2)
    #expect(!pool.isIdle)
    #expect(pool.release(2, reusable: false) == .close)
    #expect(pool.isIdle)
    #expect(pool.lease("b", now: start) == .waits)
    #expect(pool.slotsToConnect(now: start) == [2])
  }

  @Test("a caller who no longer waits takes no connection, and no place among those who may wait")
  func withdrawal() {
    var pool = Pool(limits())
    _ = pool.lease("a", now: start)
    _ = pool.lease("b", now: start)
    #expect(pool.lease("c", now: start) == .refused(.tooManyWaiters))
    pool.withdraw(of: nil, in: 0) { $0 == "a" }
    #expect(pool.lease("c", now: start) == .waits)
    _ = pool.slotsToConnect(now: start)
    #expect(pool.connected(2) == true)
    #expect(pool.nextLease(now: .now)?.0 == "b")
    pool.withdraw(of: nil, in: 0) { $0 == "b" }
    pool.withdraw(of: nil, in: 0) { $0 == "c" }
    #expect(pool.nextDeadline == nil)
    #expect(pool.release(2, reusable: true) == .keep)
    #expect(pool.isIdle)
  }

  @Test("a shutdown refuses new work, frees those who wait, and waits for what is under way")
  func shutDown() {
    var pool = connectedPool()
    _ = pool.lease("a", now: start)
    #expect(pool.slotsToConnect(now: start) == [2])
    #expect(pool.call("b", now: start) == .served(0))
    let unserved = pool.shutDown()
    #expect(unserved.leases == ["a"] && unserved.calls.isEmpty)
    #expect(pool.call("c", now: start) == .refused(.shutDown))
    #expect(pool.lease("d", now: start) == .refused(.shutDown))
    #expect(pool.connected(2) == false)
    #expect(pool.slotsToConnect(now: start) == [])
    #expect(!pool.isIdle)
    pool.callEnded(0)
    #expect(pool.isIdle)
  }

  @Test("backoff doubles up to its cap, and never vanishes")
  func delays() {
    let backoff = Backoff(base: .milliseconds(100), cap: .seconds(1))
    #expect(backoff.delay(failures: 1, jitter: 1) == .milliseconds(100))
    #expect(backoff.delay(failures: 2, jitter: 1) == .milliseconds(200))
    #expect(backoff.delay(failures: 4, jitter: 1) == .milliseconds(800))
    #expect(backoff.delay(failures: 5, jitter: 1) == .seconds(1))
    #expect(backoff.delay(failures: .max, jitter: 1) == .seconds(1))
    #expect(backoff.delay(failures: 9, jitter: 0) == .milliseconds(50))
  }
}

/// With one lane of each sort, and where the tenant does not matter: the platform's.
extension PoolStateMachine {
  fileprivate mutating func call(_ call: Call, now: Instant) -> Outcome { self.call(call, of: nil, in: 0, now: now) }

  fileprivate mutating func lease(_ lease: Lease, now: Instant) -> Outcome {
    self.lease(lease, of: nil, in: 0, now: now)
  }

  fileprivate mutating func callEnded(_ slot: Slot) { callEnded(slot, of: nil) }
}
