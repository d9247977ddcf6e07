import Foundation
import Testing

@testable import ComandaPostgres

@Suite("Bulk work beside other tenants' calls")
struct TenantActivityTests {
  private let a = UUID()
  private let b = UUID()
  private let c = UUID()
  private let start = ContinuousClock.now

  private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

  @Test("one tenant alone, whatever it does, does not hold its own bulk work back")
  func alone() {
    var activity = TenantActivity()
    for time in stride(from: 0, to: 1_000, by: 10) {
      activity.called(a, at: at(time))
      activity.wantedBulkWork(a, at: at(time))
      activity.called(nil, at: at(time))
      #expect(activity.bulkWorkYields(at: at(time)) == nil)
    }
  }

  @Test("a tenant that calls holds another's bulk work back until it has been silent for a while")
  func yields() {
    var activity = TenantActivity()
    activity.wantedBulkWork(a, at: at(0))
    activity.called(b, at: at(0))
    #expect(activity.bulkWorkYields(at: at(0)) == nil, "one call is nobody at work")
    activity.called(b, at: at(50))
    #expect(activity.bulkWorkYields(at: at(60)) == at(500))
    activity.wantedBulkWork(a, at: at(400))
    #expect(activity.bulkWorkYields(at: at(410)) == at(550))
    #expect(activity.bulkWorkYields(at: at(550)) == nil)
  }

  @Test("two tenants that call hold back the bulk work of whomever")
  func twoCallers() {
    var activity = TenantActivity()
    for time in [0, 10] {
      for tenant in [a, b] { activity.called(tenant, at: at(time)) }
    }
    activity.called(b, at: at(300))
    #expect(activity.bulkWorkYields(at: at(310)) == at(510), "as long as both are busy")
    #expect(activity.bulkWorkYields(at: at(510)) == nil)
  }

  @Test("bulk work of several tenants, without a call, does not hold itself back")
  func bulkWorkAlone() {
    var activity = TenantActivity()
    for time in [0, 10, 20] {
      for tenant in [a, b, c] { activity.wantedBulkWork(tenant, at: at(time)) }
    }
    #expect(activity.bulkWorkYields(at: at(30)) == nil)
  }

  @Test("a lane of bulk work gives one connection at a time while it yields, and all again afterwards")
  func lane() {
    let limits = PostgresConfiguration.LeasedLimits(
      connections: 3, connectionsPerTenant: 3, statementTimeout: nil, waiters: 10, waitersPerTenant: 10,
      connectionsBesideOthers: 1)
    let interactive = PostgresConfiguration.LeasedLimits(
      connections: 1, connectionsPerTenant: 1, statementTimeout: nil, waiters: 10, waitersPerTenant: 10)
    var pool = PoolStateMachine<String, String>(.init(pipelined: [], leased: [interactive, limits]))
    for name in ["1", "2", "3"] { _ = pool.lease(name, of: a, in: 1, now: at(0)) }
    for slot in pool.slotsToConnect(now: at(0)) { _ = pool.connected(slot) }
    var held: [Int] = []
    while let (_, slot) = pool.nextLease(now: at(0)) { held.append(slot) }
    #expect(held.count == 3)
    for time in [10, 20] { _ = pool.lease("call", of: b, in: 0, now: at(time)) }
    for slot in held { _ = pool.release(slot, reusable: true) }
    for name in ["4", "5", "6"] { _ = pool.lease(name, of: a, in: 1, now: at(30)) }
    let first = pool.nextLease(now: at(40))
    #expect(first == nil)
    #expect(pool.nextDeadline.map { $0 <= at(520) } == true)
    var again = 0
    while pool.nextLease(now: at(600)) != nil { again += 1 }
    #expect(again == 2)
  }
}
