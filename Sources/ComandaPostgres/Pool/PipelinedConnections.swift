import FoundationEssentials

/// The connections of one lane that many calls share: which call goes where, and who waits. No I/O.
///
/// ```
///          connecting        connected
///   empty ────────────▶ connecting ────────▶ ready
///     ▲                     │ failed           │ lost
///     └─────────────────────┴──────────────────┘
/// ```
/// Once used they are kept connected.
struct PipelinedConnections<Call> {
  typealias Instant = ContinuousClock.Instant
  typealias Slot = Int

  private enum State: Equatable {
    case empty
    case connecting
    case ready
  }

  private struct Connection {
    var state = State.empty
    /// Calls under way.
    var load = 0
    var loads: [Tenant: Int] = [:]
  }

  let limits: PostgresConfiguration.PipelinedLimits
  /// The numbers of its connections in the pool.
  let slots: Range<Slot>
  private var connections: [Connection]
  private(set) var waiting = TurnQueue<Call>()
  /// Whether anybody has ever called.
  private(set) var isUsed = false

  init(_ limits: PostgresConfiguration.PipelinedLimits, firstSlot: Slot) {
    self.limits = limits
    slots = firstSlot..<firstSlot + limits.connections
    connections = Array(repeating: Connection(), count: limits.connections)
  }

  var isIdle: Bool { waiting.isEmpty && connections.allSatisfy { $0.load == 0 } }

  /// A call wants to be sent. It waits behind those whose turn comes first; nil: too many wait.
  mutating func call(_ call: Call, of tenant: Tenant, until deadline: Instant) -> OnAsk? {
    isUsed = true
    if hasRoom(for: tenant), !waiting.hasTurn(hasRoom), let slot = leastLoaded() {
      take(slot, tenant)
      return .served(slot)
    }
    guard waiting.count < limits.waiters, tenant == nil || waiting.count(of: tenant) < limits.waitersPerTenant else {
      return nil
    }
    waiting.append(call, of: tenant, until: deadline)
    return .waits
  }

  /// The next waiting call for which there is room.
  mutating func next() -> (Call, Slot)? {
    guard !waiting.isEmpty, let slot = leastLoaded(), let next = waiting.next(hasRoom) else { return nil }
    take(slot, next.tenant)
    return (next.element, slot)
  }

  mutating func callEnded(_ slot: Slot, of tenant: Tenant) {
    let index = slot - slots.lowerBound
    // A connection that was lost has forgotten its calls already.
    guard let load = connections[index].loads[tenant] else { return }
    connections[index].load -= 1
    connections[index].loads[tenant] = load > 1 ? load - 1 : nil
  }

  mutating func removeExpired(now: Instant) -> [Call] { waiting.removeExpired(now: now) }

  mutating func removeWaiters() -> [Call] { waiting.removeAll() }

  // MARK: Connections

  /// The slots that should be connected.
  var wanted: [Slot] { isUsed ? slots.filter { self[$0].state == .empty } : [] }

  var isConnecting: Bool { connections.contains { $0.state == .connecting } }

  mutating func connecting(_ slot: Slot) { self[slot].state = .connecting }

  mutating func connected(_ slot: Slot) { self[slot] = Connection(state: .ready) }

  /// Not connected, or no longer.
  mutating func lost(_ slot: Slot) { self[slot] = Connection() }
}

extension PipelinedConnections {
  private subscript(_ slot: Slot) -> Connection {
    get { connections[slot - slots.lowerBound] }
    set { connections[slot - slots.lowerBound] = newValue }
  }

  /// The connection with the fewest calls under way, unless all are full.
  private func leastLoaded() -> Slot? {
    var best: Slot?
    var bestLoad = limits.inFlightPerConnection
    for slot in slots where self[slot].state == .ready && self[slot].load < bestLoad {
      best = slot
      bestLoad = self[slot].load
    }
    return best
  }

  private func hasRoom(for tenant: Tenant) -> Bool {
    guard tenant != nil else { return true }
    return connections.reduce(0) { $0 + ($1.loads[tenant] ?? 0) } < limits.inFlightPerTenant
  }

  private mutating func take(_ slot: Slot, _ tenant: Tenant) {
    let index = slot - slots.lowerBound
    connections[index].load += 1
    connections[index].loads[tenant, default: 0] += 1
  }
}
