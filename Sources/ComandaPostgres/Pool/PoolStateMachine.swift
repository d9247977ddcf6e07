import FoundationEssentials

/// What becomes of one who asks for a connection.
enum OnAsk: Equatable {
  /// It gets this one.
  case served(Int)
  case waits
}

/// Which connection does what, who waits, and when to connect again. No I/O; time and chance are arguments.
///
/// Connections are divided into lanes by kind of work, and within a lane those who wait are served in turn by tenant:
/// ``PipelinedConnections``, ``LeasedConnections``. After a failed attempt only one connection of all lanes is tried at
/// a time, with backoff: a database that is down is not helped by a crowd.
struct PoolStateMachine<Call, Lease> {
  typealias Instant = ContinuousClock.Instant

  /// A place for one connection, numbered over all lanes.
  typealias Slot = Int

  /// Bounds and times; their meaning is that of ``PostgresConfiguration``.
  struct Limits {
    /// By the number of the lane.
    var pipelined: [PostgresConfiguration.PipelinedLimits]
    /// By the number of the lane.
    var leased: [PostgresConfiguration.LeasedLimits]
    var acquireTimeout = Duration.seconds(10)
    var backoff = Backoff()
  }

  enum Outcome: Equatable {
    case served(Slot)
    case waits
    case refused(Refusal)
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

  /// Those who waited and get nothing.
  struct Unserved {
    var calls: [Call] = []
    var leases: [Lease] = []
  }

  /// Where a slot belongs.
  private enum Owner {
    case pipelined(Int)
    case leased(Int)
  }

  private let limits: Limits
  private let owners: [Owner]
  private var pipelined: [PipelinedConnections<Call>] = []
  private var leased: [LeasedConnections<Lease>] = []
  private var activity = TenantActivity()
  private var failures = 0
  private var retryAt: Instant?
  private var isShutDown = false
  /// When bulk work that waits may have more connections again.
  private var yieldsUntil: Instant?

  init(_ limits: Limits) {
    self.limits = limits
    var owners: [Owner] = []
    for (lane, limits) in limits.pipelined.enumerated() {
      pipelined.append(PipelinedConnections(limits, firstSlot: owners.count))
      owners += Array(repeating: .pipelined(lane), count: limits.connections)
    }
    for (lane, limits) in limits.leased.enumerated() {
      leased.append(LeasedConnections(limits, firstSlot: owners.count))
      owners += Array(repeating: .leased(lane), count: limits.connections)
    }
    self.owners = owners
  }

  var slotCount: Int { owners.count }

  /// Whether a slot's connection is shared.
  func isPipelined(_ slot: Slot) -> Bool {
    if case .pipelined = owners[slot] { true } else { false }
  }

  /// The `statement_timeout` of a slot's connection; nil: none.
  func statementTimeout(of slot: Slot) -> Duration? {
    switch owners[slot] {
    case .pipelined(let lane): limits.pipelined[lane].statementTimeout
    case .leased(let lane): limits.leased[lane].statementTimeout
    }
  }

  /// Whether no call, lease or waiter is left.
  var isIdle: Bool { pipelined.allSatisfy(\.isIdle) && leased.allSatisfy(\.isIdle) }

  // MARK: Calls on shared connections

  /// A call wants to be sent.
  mutating func call(_ call: Call, of tenant: Tenant, in lane: Int, now: Instant) -> Outcome {
    guard !isShutDown else { return .refused(.shutDown) }
    activity.called(tenant, at: now)
    return Outcome(pipelined[lane].call(call, of: tenant, until: now + limits.acquireTimeout))
  }

  /// A call on a shared connection has ended.
  mutating func callEnded(_ slot: Slot, of tenant: Tenant) {
    if case .pipelined(let lane) = owners[slot] { pipelined[lane].callEnded(slot, of: tenant) }
  }

  /// The next waiting call for which there is room.
  mutating func nextCall() -> (Call, Slot)? {
    for lane in pipelined.indices {
      if let next = pipelined[lane].next() { return next }
    }
    return nil
  }

  // MARK: Leases

  /// A caller wants a connection alone.
  mutating func lease(_ lease: Lease, of tenant: Tenant, in lane: Int, now: Instant) -> Outcome {
    guard !isShutDown else { return .refused(.shutDown) }
    if leased[lane].limits.connectionsBesideOthers == nil {
      activity.called(tenant, at: now)
    } else {
      activity.wantedBulkWork(tenant, at: now)
      setAllowance(of: lane, now: now)
    }
    return Outcome(leased[lane].lease(lease, of: tenant, until: now + limits.acquireTimeout))
  }

  /// The next waiting caller for whom there is a connection.
  mutating func nextLease(now: Instant) -> (Lease, Slot)? {
    for lane in leased.indices {
      if !leased[lane].waiting.isEmpty { setAllowance(of: lane, now: now) }
      if let next = leased[lane].next() { return next }
    }
    return nil
  }

  /// Bulk work steps back while its tenants are not the only ones who call.
  private mutating func setAllowance(of lane: Int, now: Instant) {
    guard let few = leased[lane].limits.connectionsBesideOthers else { return }
    let yieldsUntil = activity.bulkWorkYields(at: now)
    leased[lane].allowance = yieldsUntil == nil ? leased[lane].limits.connections : few
    self.yieldsUntil = yieldsUntil
  }

  /// A caller no longer wants to wait for a connection; no matter if it has got one.
  mutating func withdraw(of tenant: Tenant, in lane: Int, where isMeant: (Lease) -> Bool) {
    leased[lane].withdraw(of: tenant, where: isMeant)
  }

  /// A leased connection comes back.
  mutating func release(_ slot: Slot, reusable: Bool) -> OnRelease {
    guard case .leased(let lane) = owners[slot] else { return .close }
    return leased[lane].release(slot, reusable: reusable && !isShutDown) ? .keep : .close
  }

  // MARK: Connections

  /// The slots to connect now; they count as connecting from here on.
  mutating func slotsToConnect(now: Instant) -> [Slot] {
    guard !isShutDown, retryAt.map({ $0 <= now }) ?? true else { return [] }
    retryAt = nil
    var wanted = pipelined.flatMap(\.wanted) + leased.flatMap(\.wanted)
    if failures > 0 {
      let isTrying = pipelined.contains(where: \.isConnecting) || leased.contains(where: \.isConnecting)
      wanted = isTrying ? [] : Array(wanted.prefix(1))
    }
    for slot in wanted {
      switch owners[slot] {
      case .pipelined(let lane): pipelined[lane].connecting(slot)
      case .leased(let lane): leased[lane].connecting(slot)
      }
    }
    return wanted
  }

  /// Whether the connection is still wanted; otherwise close it.
  mutating func connected(_ slot: Slot) -> Bool {
    failures = 0
    retryAt = nil
    guard !isShutDown else {
      notConnected(slot)
      return false
    }
    switch owners[slot] {
    case .pipelined(let lane): pipelined[lane].connected(slot)
    case .leased(let lane): leased[lane].connected(slot)
    }
    return true
  }

  /// An attempt has failed. Permanent: no use in trying again before somebody changes something, so those who wait
  /// are returned and need not wait until their deadline.
  mutating func connectFailed(_ slot: Slot, permanent: Bool, now: Instant, jitter: Double) -> Unserved {
    notConnected(slot)
    failures += 1
    retryAt = now + limits.backoff.delay(failures: failures, jitter: jitter)
    return permanent ? removeAllWaiters() : Unserved()
  }

  /// A connection broke. A leased one stays with its lease, which must give it back.
  mutating func lost(_ slot: Slot) {
    switch owners[slot] {
    case .pipelined(let lane): pipelined[lane].lost(slot)
    case .leased(let lane): leased[lane].lost(slot)
    }
  }

  private mutating func notConnected(_ slot: Slot) {
    switch owners[slot] {
    case .pipelined(let lane): pipelined[lane].lost(slot)
    case .leased(let lane): leased[lane].notConnected(slot)
    }
  }

  // MARK: Time

  /// Those who have waited too long.
  mutating func expired(now: Instant) -> Unserved {
    var unserved = Unserved()
    for lane in pipelined.indices { unserved.calls += pipelined[lane].removeExpired(now: now) }
    for lane in leased.indices { unserved.leases += leased[lane].removeExpired(now: now) }
    return unserved
  }

  /// When there may be something to do without any input.
  var nextDeadline: Instant? {
    var earliest: Instant?
    func consider(_ instant: Instant?) {
      if let instant { earliest = min(earliest ?? instant, instant) }
    }
    var wantsRetry = false
    for lane in pipelined {
      consider(lane.waiting.earliestDeadline)
      wantsRetry = wantsRetry || lane.isUsed
    }
    for lane in leased {
      consider(lane.waiting.earliestDeadline)
      wantsRetry = wantsRetry || !lane.waiting.isEmpty
      if lane.allowance < lane.limits.connections, !lane.waiting.isEmpty { consider(yieldsUntil) }
    }
    if wantsRetry { consider(retryAt) }
    return earliest
  }

  /// Refuses everything new. Returns those who wait, whom nobody will serve.
  mutating func shutDown() -> Unserved {
    isShutDown = true
    return removeAllWaiters()
  }

  private mutating func removeAllWaiters() -> Unserved {
    var unserved = Unserved()
    for lane in pipelined.indices { unserved.calls += pipelined[lane].removeWaiters() }
    for lane in leased.indices { unserved.leases += leased[lane].removeWaiters() }
    return unserved
  }
}

extension PoolStateMachine.Outcome {
  fileprivate init(_ outcome: OnAsk?) {
    switch outcome {
    case .served(let slot): self = .served(slot)
    case .waits: self = .waits
    case nil: self = .refused(.tooManyWaiters)
    }
  }
}
