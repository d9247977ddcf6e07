import FoundationEssentials
import Testing

@testable import ComandaPostgres

/// Random schedules against the pool's machine, with a model of who waits and who holds what beside it.
@Suite("The pool's machine under random schedules")
struct PoolSimulationTests {
  @Test("bounds hold, nobody starves and nobody is lost", arguments: 0..<40 as Range<UInt64>)
  func simulate(seed: UInt64) {
    var simulation = PoolSimulation(seed: seed)
    for _ in 0..<2_000 { simulation.step() }
    simulation.drain()
  }
}

private struct PoolSimulation {
  /// Who asks: a number of its own, on behalf of a tenant.
  struct Asker: Equatable {
    let number: Int
    let tenant: Tenant
  }

  struct Waiting {
    let asker: Asker
    let deadline: ContinuousClock.Instant
    /// Grants that others got, since this one's tenant could have been served.
    var passedOver = 0
  }

  private static let lease = PostgresConfiguration.LeasedLimits(
    connections: 4, connectionsPerTenant: 2, statementTimeout: nil, waiters: 40, waitersPerTenant: 9)
  private static let call = PostgresConfiguration.PipelinedLimits(
    connections: 2, statementTimeout: .seconds(5), inFlightPerConnection: 4, inFlightPerTenant: 5, waiters: 40,
    waitersPerTenant: 9)

  private var random: SeededGenerator
  private var pool: PoolStateMachine<Asker, Asker>
  private var now = ContinuousClock.now
  private let tenants: [Tenant] = [nil] + (0..<6).map { _ in UUID() }
  private var nextNumber = 0
  private var connecting: Set<Int> = []
  private var connected: Set<Int> = []

  private var held: [Int: Asker] = [:]
  private var leases: [Waiting] = []
  private var underWay: [(slot: Int, asker: Asker)] = []
  private var calls: [Waiting] = []

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    pool = PoolStateMachine(.init(pipelined: [Self.call], leased: [Self.lease], acquireTimeout: .seconds(10)))
  }

  mutating func step() {
    now += .milliseconds(Int.random(in: 0...400, using: &random))
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<30: askForLease()
    case 30..<60: askForCall()
    case 60..<72: if let slot = held.keys.sorted().randomElement(using: &random) { release(slot) }
    case 72..<88: endCall()
    case 88..<91: withdraw()
    case 91..<96: connect(succeeds: Int.random(in: 0..<4, using: &random) > 0)
    case 96..<98: if let slot = connected.sorted().randomElement(using: &random) { lose(slot) }
    default: break
    }
    expire()
    settle()
    check()
  }

  /// When everything ends and connects, everybody is served.
  mutating func drain() {
    for _ in 0..<10_000 where !(leases.isEmpty && calls.isEmpty && held.isEmpty && underWay.isEmpty) {
      now += .milliseconds(1)
      connect(succeeds: true)
      if let slot = held.keys.min() { release(slot) }
      endCall()
      settle()
      check()
      if let retry = pool.nextDeadline, connecting.isEmpty, !leases.isEmpty || !calls.isEmpty, retry > now {
        now = min(retry, now + .milliseconds(100))
        expire()
      }
    }
    #expect(leases.isEmpty && calls.isEmpty && held.isEmpty && underWay.isEmpty)
    #expect(pool.isIdle)
  }

  private mutating func asker() -> Asker {
    nextNumber += 1
    // The second of the tenants asks for half of everything.
    let isGreedy = Bool.random(using: &random)
    return Asker(number: nextNumber, tenant: isGreedy ? tenants[1] : tenants[Int.random(in: 0..<7, using: &random)])
  }

  private mutating func askForLease() {
    let asker = asker()
    switch pool.lease(asker, of: asker.tenant, in: 0, now: now) {
    case .served(let slot): grant(asker, slot)
    case .waits: leases.append(Waiting(asker: asker, deadline: now + .seconds(10)))
    case .refused(let refusal):
      #expect(refusal == .tooManyWaiters)
      #expect(leases.count == Self.lease.waiters || leases.count(of: asker.tenant) == Self.lease.waitersPerTenant)
    }
  }

  private mutating func askForCall() {
    let asker = asker()
    switch pool.call(asker, of: asker.tenant, in: 0, now: now) {
    case .served(let slot): send(asker, slot)
    case .waits: calls.append(Waiting(asker: asker, deadline: now + .seconds(10)))
    case .refused(let refusal):
      #expect(refusal == .tooManyWaiters)
      #expect(calls.count == Self.call.waiters || calls.count(of: asker.tenant) == Self.call.waitersPerTenant)
    }
  }

  private mutating func grant(_ asker: Asker, _ slot: Int) {
    #expect(connected.contains(slot) && held[slot] == nil)
    leases.noteServed(asker) { [self] tenant in tenant == nil || heldCount(tenant) < Self.lease.connectionsPerTenant }
    held[slot] = asker
    #expect(asker.tenant == nil || heldCount(asker.tenant) <= Self.lease.connectionsPerTenant)
  }

  private mutating func send(_ asker: Asker, _ slot: Int) {
    #expect(connected.contains(slot))
    calls.noteServed(asker) { [self] tenant in tenant == nil || sentCount(tenant) < Self.call.inFlightPerTenant }
    underWay.append((slot, asker))
    #expect(underWay.count { $0.slot == slot } <= Self.call.inFlightPerConnection)
    #expect(asker.tenant == nil || sentCount(asker.tenant) <= Self.call.inFlightPerTenant)
  }

  private mutating func release(_ slot: Int) {
    let reusable = connected.contains(slot) && Int.random(in: 0..<10, using: &random) > 0
    held[slot] = nil
    let outcome = pool.release(slot, reusable: reusable)
    #expect(outcome == (reusable ? .keep : .close))
    if outcome == .close { connected.remove(slot) }
  }

  private mutating func endCall() {
    guard let index = underWay.indices.randomElement(using: &random) else { return }
    let (slot, asker) = underWay.remove(at: index)
    pool.callEnded(slot, of: asker.tenant)
  }

  private mutating func withdraw() {
    guard let waiting = leases.randomElement(using: &random) else { return }
    pool.withdraw(of: waiting.asker.tenant, in: 0) { $0 == waiting.asker }
    leases.removeAll { $0.asker == waiting.asker }
  }

  private mutating func connect(succeeds: Bool) {
    for slot in pool.slotsToConnect(now: now) {
      #expect(!connecting.contains(slot) && !connected.contains(slot) && held[slot] == nil)
      connecting.insert(slot)
    }
    guard let slot = connecting.sorted().randomElement(using: &random) else { return }
    connecting.remove(slot)
    if succeeds {
      #expect(pool.connected(slot) == true)
      connected.insert(slot)
    } else {
      let unserved = pool.connectFailed(slot, permanent: false, now: now, jitter: 0.5)
      #expect(unserved.calls.isEmpty && unserved.leases.isEmpty)
    }
  }

  private mutating func lose(_ slot: Int) {
    connected.remove(slot)
    underWay.removeAll { $0.slot == slot }
    pool.lost(slot)
  }

  private mutating func expire() {
    let unserved = pool.expired(now: now)
    #expect(unserved.leases.map(\.number).sorted() == leases.takeExpired(now))
    #expect(unserved.calls.map(\.number).sorted() == calls.takeExpired(now))
  }

  private mutating func settle() {
    while let (asker, slot) = pool.nextLease(now: .now) { grant(asker, slot) }
    while let (asker, slot) = pool.nextCall() { send(asker, slot) }
  }

  private func check() {
    // Nobody waits who could be served.
    let idle = (2...5).contains { connected.contains($0) && held[$0] == nil }
    #expect(!idle || leases.allSatisfy { $0.asker.tenant != nil && !mayHold($0.asker.tenant) })
    if let deadline = (leases + calls).map(\.deadline).min() { #expect((pool.nextDeadline ?? .now) <= deadline) }
  }

  private func mayHold(_ tenant: Tenant) -> Bool { heldCount(tenant) < Self.lease.connectionsPerTenant }

  private func heldCount(_ tenant: Tenant) -> Int { held.values.count { $0.tenant == tenant } }

  private func sentCount(_ tenant: Tenant) -> Int { underWay.count { $0.asker.tenant == tenant } }
}

extension [PoolSimulation.Waiting] {
  fileprivate func count(of tenant: Tenant) -> Int { count { $0.asker.tenant == tenant } }

  /// One is served: it was the first of its tenant, and each other tenant's first, had it been free to be served, has
  /// been passed over no more often than there are tenants.
  fileprivate mutating func noteServed(_ asker: PoolSimulation.Asker, mayBeServed: (Tenant) -> Bool) {
    if let index = firstIndex(where: { $0.asker == asker }) {
      #expect(firstIndex { $0.asker.tenant == asker.tenant } == index)
      remove(at: index)
    } else {
      #expect(!contains { $0.asker.tenant == asker.tenant && mayBeServed(asker.tenant) })
    }
    var seen: Set<Tenant> = []
    for index in indices where seen.insert(self[index].asker.tenant).inserted {
      guard self[index].asker.tenant != asker.tenant, mayBeServed(self[index].asker.tenant) else { continue }
      self[index].passedOver += 1
      #expect(self[index].passedOver < 7)
    }
  }

  fileprivate mutating func takeExpired(_ now: ContinuousClock.Instant) -> [Int] {
    let expired = filter { $0.deadline <= now }.map(\.asker.number)
    removeAll { $0.deadline <= now }
    return expired
  }
}

/// The same numbers for the same seed: SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
