import DequeModule

/// Which connection does what, who waits, and when to connect again. No I/O; time and chance are arguments.
///
/// ```
///            connect              connected              grant
///   empty ────────────▶ connecting ────────▶ ready ◀──────────────▶ leased
///     ▲                     │ failed           │ lost      release     │ lost, or given back unusable
///     └─────────────────────┴──────────────────┴───────────────────────┘
/// ```
/// Pipelined slots are shared, and once used are kept connected. Leased slots connect when somebody waits for one.
/// After a failed attempt only one connection is tried at a time, with backoff: a database that is down is not helped
/// by a crowd.
struct PoolStateMachine<Call, Lease> {
  typealias Instant = ContinuousClock.Instant

  /// Bounds and times; their meaning is that of ``PostgresConfiguration``.
  struct Limits {
    var pipelined = 2
    var leased = 8
    var inFlightPerConnection = 512
    var callWaiters = 16_384
    var leaseWaiters = 256
    var acquireTimeout = Duration.seconds(10)
    var backoff = Backoff()
  }

  /// A place for one connection. The first are the pipelined ones.
  typealias Slot = Int

  enum OnCall: Equatable {
    case send(Slot)
    case wait
    case refuse(Refusal)
  }

  enum OnLease: Equatable {
    case grant(Slot)
    case wait
    case refuse(Refusal)
  }

  enum OnRelease: Equatable {
    /// Keep it for the next caller.
    case keep
    /// Close it.
    case close
  }

  enum Refusal: Equatable {
    case tooManyWaiters
    case shutDown
  }

  private enum State: Equatable {
    case empty
    case connecting
    case ready
    case leased
  }

  /// Those who waited and get nothing.
  struct Unserved {
    var calls: [Call] = []
    var leases: [Lease] = []
  }

  private struct Waiter<Who> {
    let who: Who
    let deadline: Instant
  }

  private let limits: Limits
  private var states: [State]
  /// Calls under way, by slot.
  private var loads: [Int]
  private var calls = Deque<Waiter<Call>>()
  private var leases = Deque<Waiter<Lease>>()
  private var failures = 0
  private var retryAt: Instant?
  private var wantsPipelined = false
  private var isShutDown = false

  init(_ limits: Limits) {
    self.limits = limits
    states = Array(repeating: .empty, count: limits.pipelined + limits.leased)
    loads = Array(repeating: 0, count: limits.pipelined + limits.leased)
  }

  /// Whether no call, lease or waiter is left.
  var isIdle: Bool {
    calls.isEmpty && leases.isEmpty && !states.contains(.leased) && loads.allSatisfy { $0 == 0 }
  }

  func isPipelined(_ slot: Slot) -> Bool { slot < limits.pipelined }

  // MARK: Calls on shared connections

  /// A call wants to be sent. It queues behind those that wait already.
  mutating func call(_ call: Call, now: Instant) -> OnCall {
    guard !isShutDown else { return .refuse(.shutDown) }
    wantsPipelined = true
    if calls.isEmpty, let slot = leastLoaded() {
      loads[slot] += 1
      return .send(slot)
    }
    guard calls.count < limits.callWaiters else { return .refuse(.tooManyWaiters) }
    calls.append(Waiter(who: call, deadline: now + limits.acquireTimeout))
    return .wait
  }

  /// A call on a shared connection has ended.
  mutating func callEnded(_ slot: Slot) {
    loads[slot] = max(0, loads[slot] - 1)
  }

  /// The next waiting call for which there is room.
  mutating func nextCall() -> (Call, Slot)? {
    guard !calls.isEmpty, let slot = leastLoaded() else { return nil }
    loads[slot] += 1
    return (calls.removeFirst().who, slot)
  }

  // MARK: Leases

  /// A caller wants a connection alone.
  mutating func lease(_ lease: Lease, now: Instant) -> OnLease {
    guard !isShutDown else { return .refuse(.shutDown) }
    if leases.isEmpty, let slot = readyLeasable() {
      states[slot] = .leased
      return .grant(slot)
    }
    guard leases.count < limits.leaseWaiters else { return .refuse(.tooManyWaiters) }
    leases.append(Waiter(who: lease, deadline: now + limits.acquireTimeout))
    return .wait
  }

  /// The next waiting caller for whom there is a connection.
  mutating func nextLease() -> (Lease, Slot)? {
    guard !leases.isEmpty, let slot = readyLeasable() else { return nil }
    states[slot] = .leased
    return (leases.removeFirst().who, slot)
  }

  /// A leased connection comes back.
  mutating func release(_ slot: Slot, reusable: Bool) -> OnRelease {
    guard reusable, !isShutDown, states[slot] == .leased else {
      states[slot] = .empty
      return .close
    }
    states[slot] = .ready
    return .keep
  }

  // MARK: Connections

  /// The slots to connect now; they count as connecting from here on.
  mutating func slotsToConnect(now: Instant) -> [Slot] {
    guard !isShutDown, retryAt.map({ $0 <= now }) ?? true else { return [] }
    retryAt = nil
    var wanted: [Slot] = []
    if wantsPipelined {
      wanted += states.indices.prefix(limits.pipelined).filter { states[$0] == .empty }
    }
    let leasable = states.indices.dropFirst(limits.pipelined)
    let coming = leasable.count { states[$0] == .connecting }
    wanted += leasable.filter { states[$0] == .empty }.prefix(max(0, leases.count - coming))
    if failures > 0 {
      wanted = states.contains(.connecting) ? [] : Array(wanted.prefix(1))
    }
    for slot in wanted { states[slot] = .connecting }
    return wanted
  }

  /// Whether the connection is still wanted; otherwise close it.
  mutating func connected(_ slot: Slot) -> Bool {
    failures = 0
    retryAt = nil
    guard !isShutDown else {
      states[slot] = .empty
      return false
    }
    states[slot] = .ready
    loads[slot] = 0
    return true
  }

  /// An attempt has failed. Permanent: no use in trying again before somebody changes something, so those who wait
  /// are returned and need not wait until their deadline.
  mutating func connectFailed(_ slot: Slot, permanent: Bool, now: Instant, jitter: Double) -> Unserved {
    states[slot] = .empty
    failures += 1
    retryAt = now + limits.backoff.delay(failures: failures, jitter: jitter)
    return permanent ? removeAllWaiters() : Unserved()
  }

  /// A connection broke. A leased one stays with its lease, which must give it back.
  mutating func lost(_ slot: Slot) {
    loads[slot] = 0
    if states[slot] != .leased { states[slot] = .empty }
  }

  // MARK: Time

  /// Those who have waited too long.
  mutating func expired(now: Instant) -> Unserved {
    var unserved = Unserved()
    while let first = calls.first, first.deadline <= now { unserved.calls.append(calls.removeFirst().who) }
    while let first = leases.first, first.deadline <= now { unserved.leases.append(leases.removeFirst().who) }
    return unserved
  }

  /// When there may be something to do without any input.
  var nextDeadline: Instant? {
    let wantsRetry = wantsPipelined || !leases.isEmpty
    return [calls.first?.deadline, leases.first?.deadline, wantsRetry ? retryAt : nil].compactMap { $0 }.min()
  }

  /// Refuses everything new. Returns those who wait, whom nobody will serve.
  mutating func shutDown() -> Unserved {
    isShutDown = true
    for slot in states.indices where states[slot] == .ready && loads[slot] == 0 { states[slot] = .empty }
    return removeAllWaiters()
  }
}

extension PoolStateMachine {
  /// The shared connection with the fewest calls under way, unless all are full.
  private func leastLoaded() -> Slot? {
    var best: Slot?
    var bestLoad = limits.inFlightPerConnection
    for slot in 0..<limits.pipelined where states[slot] == .ready && loads[slot] < bestLoad {
      best = slot
      bestLoad = loads[slot]
    }
    return best
  }

  private func readyLeasable() -> Slot? {
    states.indices.dropFirst(limits.pipelined).first { states[$0] == .ready }
  }

  private mutating func removeAllWaiters() -> Unserved {
    defer {
      calls.removeAll()
      leases.removeAll()
    }
    return Unserved(calls: calls.map(\.who), leases: leases.map(\.who))
  }
}
