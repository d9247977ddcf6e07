import FoundationEssentials

/// The connections of one lane that one caller at a time has alone: who holds which, and who waits. No I/O.
///
/// ```
///          connecting        connected            grant
///   empty ────────────▶ connecting ────────▶ ready ◀──────────────▶ leased
///     ▲                     │ failed           │ lost      release     │ given back unusable
///     └─────────────────────┴──────────────────┴───────────────────────┘
/// ```
/// They connect when somebody waits for one. A leased one that is lost stays with its lease, which must give it back.
struct LeasedConnections<Lease> {
  typealias Instant = ContinuousClock.Instant
  typealias Slot = Int

  private enum State: Equatable {
    case empty
    case connecting
    case ready
    case leased(Tenant)

    var isLeased: Bool {
      if case .leased = self { true } else { false }
    }
  }

  let limits: PostgresConfiguration.LeasedLimits
  /// The numbers of its connections in the pool.
  let slots: Range<Slot>
  private var states: [State]
  /// How many may be held at the moment: fewer than there are while bulk work steps back.
  var allowance: Int
  private(set) var waiting = TurnQueue<Lease>()

  init(_ limits: PostgresConfiguration.LeasedLimits, firstSlot: Slot) {
    self.limits = limits
    slots = firstSlot..<firstSlot + limits.connections
    states = Array(repeating: .empty, count: limits.connections)
    allowance = limits.connections
  }

  var isIdle: Bool { waiting.isEmpty && !states.contains { $0.isLeased } }

  /// A caller wants a connection. It waits behind those whose turn comes first; nil: too many wait.
  mutating func lease(_ lease: Lease, of tenant: Tenant, until deadline: Instant) -> OnAsk? {
    if mayHold(tenant), !waiting.hasTurn(mayHold), let slot = readySlot() {
      self[slot] = .leased(tenant)
      return .served(slot)
    }
    guard waiting.count < limits.waiters, tenant == nil || waiting.count(of: tenant) < limits.waitersPerTenant else {
      return nil
    }
    waiting.append(lease, of: tenant, until: deadline)
    return .waits
  }

  /// The next waiting caller for whom there is a connection.
  mutating func next() -> (Lease, Slot)? {
    guard !waiting.isEmpty, let slot = readySlot(), let next = waiting.next(mayHold) else { return nil }
    self[slot] = .leased(next.tenant)
    return (next.element, slot)
  }

  /// A caller no longer wants to wait.
  mutating func withdraw(of tenant: Tenant, where isMeant: (Lease) -> Bool) {
    waiting.remove(of: tenant, where: isMeant)
  }

  /// A connection comes back. False: close it.
  mutating func release(_ slot: Slot, reusable: Bool) -> Bool {
    let isKept = reusable && self[slot].isLeased
    self[slot] = isKept ? .ready : .empty
    return isKept
  }

  mutating func removeExpired(now: Instant) -> [Lease] { waiting.removeExpired(now: now) }

  mutating func removeWaiters() -> [Lease] { waiting.removeAll() }

  // MARK: Connections

  /// The slots that should be connected: as many as could be granted beside those that are coming.
  var wanted: [Slot] {
    if waiting.isEmpty { return [] }
    let empty = slots.filter { self[$0] == .empty }
    if empty.isEmpty { return [] }
    let coming = states.count { $0 == .connecting || $0 == .ready }
    let servable = waiting.servable(upTo: empty.count + coming, room: room)
    return Array(empty.prefix(max(0, servable - coming)))
  }

  var isConnecting: Bool { states.contains(.connecting) }

  mutating func connecting(_ slot: Slot) { self[slot] = .connecting }

  mutating func connected(_ slot: Slot) { self[slot] = .ready }

  /// An attempt to connect has failed.
  mutating func notConnected(_ slot: Slot) { self[slot] = .empty }

  mutating func lost(_ slot: Slot) {
    if !self[slot].isLeased { self[slot] = .empty }
  }
}

extension LeasedConnections {
  private subscript(_ slot: Slot) -> State {
    get { states[slot - slots.lowerBound] }
    set { states[slot - slots.lowerBound] = newValue }
  }

  private func readySlot() -> Slot? {
    states.count(where: \.isLeased) < allowance ? slots.first { self[$0] == .ready } : nil
  }

  private func room(for tenant: Tenant) -> Int {
    guard tenant != nil else { return limits.connections }
    return limits.connectionsPerTenant - states.count { $0 == .leased(tenant) }
  }

  private func mayHold(_ tenant: Tenant) -> Bool { room(for: tenant) > 0 }
}
