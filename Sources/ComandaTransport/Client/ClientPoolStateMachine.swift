import ComandaRPC
import NIOCore

/// Which connections a client has to which addresses, and which of them a call goes to: without I/O, clock or threads.
///
/// ## A slot: one connection to one address
/// ```
/// idle ──call──▶ connecting ──▶ ready ──DRAIN, lost──▶ connecting (at once, if it had calls), idle (if it had none)
///   ▲                │            └─ again and again early ─┐
///   │                ▼                                      │
///   └─ no calls ─ backoff ◀─────────────────────────────────┘
///                    └──time, calls──▶ connecting
/// ```
/// A connection that drains leaves its slot at once, and ends by itself when its calls have ended; so its replacement
/// need not wait for that.
///
/// ## A call
/// It takes the next ready connection in turn. Without one it waits while an attempt to connect is under way, and fails
/// when all addresses are in backoff; one that waits for ready goes on waiting.
///
/// When the last ready connection has gone, the next call tries addresses in backoff at once: what they were tried for
/// before was to have one connection more, and now it is to have one at all. In a rolling restart, the second server goes
/// moments after the first came back.
struct ClientPoolStateMachine {
  typealias ConnectionID = Int
  typealias WaiterID = UInt64
  typealias TargetID = Int

  /// What the shell does. Ids rather than objects, so that actions can be compared.
  enum Action: Equatable {
    case connect(ConnectionID, Endpoint)
    /// Let the connection's calls end, then close it.
    case retire(ConnectionID)
    /// Close the connection; it never was ready.
    case abandon(ConnectionID)
    case resolve(TargetID)
    case grant(WaiterID, ConnectionID)
    case refuse(WaiterID, RPCError)
    /// Call `timePassed` then, and not when the `wake` before said.
    case wake(NIODeadline)
  }

  /// What a call that found no ready connection does.
  enum Admission: Equatable {
    case use(ConnectionID)
    case wait
    case fail(RPCError)
  }

  private struct Slot {
    enum State: Equatable {
      case idle
      case connecting(ConnectionID)
      case ready(ConnectionID)
      case backoff(until: NIODeadline)
    }

    let endpoint: Endpoint
    var state = State.idle
    var readySince = NIODeadline.distantFuture
    var isIntroduced = false
    /// Attempts to connect that failed, in a row.
    var failures = 0
    /// Connections that ended early, in a row: a server may greet its clients and then fall over.
    var earlyEnds = 0
    var lastFailure: RPCError?
    /// The calls of the pool at the last failure: whether there were others since decides about another attempt.
    var callsAtFailure: UInt64 = 0
  }

  private struct ReadyConnection {
    let id: ConnectionID
    var hasCalls = false
  }

  private struct Resolution {
    enum State: Equatable {
      case idle, running
      case backoff(until: NIODeadline)
    }

    var state = State.idle
    var endpoints: [Endpoint] = []
    var failures = 0
    var lastFailure: RPCError?
    var startedAt: NIODeadline?
  }

  private struct Waiter {
    let waitsForReady: Bool
    let deadline: NIODeadline?
  }

  /// Connections that may end early and are replaced at once, as those of servers that are restarted often.
  private static let earlyEndsForgiven = 3
  /// A name is not resolved more often.
  private static let resolutionSpacing = TimeAmount.seconds(1)

  private let settings: ClientSettings
  private var random: SplitMix64
  private var slots: [Slot] = []
  private var ready: [ReadyConnection] = []
  private var turn = 0
  private var resolutions: [TargetID: Resolution] = [:]
  private var fixed: [Endpoint] = []
  private var waiters: [WaiterID: Waiter] = [:]
  private var lastConnection: ConnectionID = 0
  /// The one `wake` that is not due yet.
  private var wakeAt: NIODeadline?
  private var isClosed = false
  /// Whether a call would start something: then it takes the way through `admit`.
  private var hasIdle = true
  /// Whether the last ready connection has gone, and no call has come since.
  private var isForsaken = false
  /// Calls that were made, for the budget of retries and to know whether anybody needs connections.
  private(set) var calls: UInt64 = 0

  /// A pool that connects with its first call.
  /// - Parameters:
  ///   - fixed: addresses that need no resolving.
  ///   - names: targets that do.
  init(fixed: [Endpoint], names: [TargetID] = [], settings: ClientSettings, seed: UInt64) {
    self.settings = settings
    self.random = SplitMix64(state: seed)
    self.fixed = fixed
    for name in names { resolutions[name] = Resolution() }
    _ = arrangeSlots()
  }

  // MARK: - Calls

  /// The connection of the next call; nil when there is more to it, and `admit` is to be asked.
  mutating func pick() -> ConnectionID? {
    guard !hasIdle, !ready.isEmpty else { return nil }
    return next()
  }

  private mutating func next() -> ConnectionID {
    turn = turn + 1 < ready.count ? turn + 1 : 0
    ready[turn].hasCalls = true
    calls &+= 1
    return ready[turn].id
  }

  /// Finds a connection for a call or, when there is none, has it wait.
  mutating func admit(
    _ waiter: WaiterID, waitsForReady: Bool, deadline: NIODeadline?, now: NIODeadline
  ) -> (Admission, [Action]) {
    if isClosed { return (.fail(.clientClosed(isRejected: true)), []) }
    var actions = startIdle(now)
    if !ready.isEmpty { return (.use(next()), actions) }
    calls &+= 1
    guard isPending || waitsForReady else { return (.fail(failures.unreachable), actions) }
    guard waiters.count < settings.waitingCalls else {
      let message = "\(settings.waitingCalls) calls wait for a connection already"
      return (.fail(RPCError(.resourceExhausted, message, isRejected: true)), actions)
    }
    waiters[waiter] = Waiter(waitsForReady: waitsForReady, deadline: deadline)
    if let deadline { cover(deadline, &actions) }
    return (.wait, actions)
  }

  /// The caller gave a waiting call up; returns whether it still waited.
  mutating func cancel(_ waiter: WaiterID) -> Bool {
    waiters.removeValue(forKey: waiter) != nil
  }

  // MARK: - Names

  /// A name has these addresses now.
  mutating func resolved(_ target: TargetID, to endpoints: [Endpoint], now: NIODeadline) -> [Action] {
    guard !isClosed, resolutions[target] != nil else { return [] }
    resolutions[target]?.state = .idle
    resolutions[target]?.endpoints = endpoints
    resolutions[target]?.failures = 0
    var actions = arrangeSlots()
    if !waiters.isEmpty { actions += startIdle(now) }
    refuseHopeless(&actions)
    return actions
  }

  /// A name could not be resolved; addresses that it had before stay.
  mutating func resolvingFailed(_ target: TargetID, _ error: RPCError, now: NIODeadline) -> [Action] {
    guard !isClosed, var resolution = resolutions[target] else { return [] }
    var actions: [Action] = []
    resolution.failures += 1
    resolution.lastFailure = error
    let until = now + settings.backoff.pause(afterFailures: resolution.failures, using: &random)
    resolution.state = .backoff(until: until)
    resolutions[target] = resolution
    cover(until, &actions)
    refuseHopeless(&actions)
    return actions
  }

  // MARK: - Connections

  /// A connection can carry calls.
  mutating func connected(_ id: ConnectionID, now: NIODeadline) -> [Action] {
    guard let slot = slots.firstIndex(where: { $0.state == .connecting(id) }) else { return [] }
    slots[slot].state = .ready(id)
    slots[slot].readySince = now
    slots[slot].isIntroduced = false
    ready.append(ReadyConnection(id: id))
    isForsaken = false
    let granted = waiters.keys.sorted()
    waiters = [:]
    // They were counted when they began to wait.
    calls &-= UInt64(granted.count)
    return granted.map { .grant($0, next()) }
  }

  /// A connection's server sent its HELLO.
  mutating func introduced(_ id: ConnectionID) {
    guard let slot = slots.firstIndex(where: { $0.state == .ready(id) }) else { return }
    slots[slot].isIntroduced = true
    slots[slot].failures = 0
  }

  /// A connection takes no further calls, since its server drains.
  mutating func drains(_ id: ConnectionID, now: NIODeadline) -> [Action] {
    left(id, RPCError(.unavailable, "the server stops"), now: now)
  }

  /// A connection takes no further calls, since its numbers run out: no sign of trouble, however young it is.
  mutating func exhausted(_ id: ConnectionID, now: NIODeadline) -> [Action] {
    left(id, RPCError(.unavailable, "the connection is used up"), isSuccess: true, now: now)
  }

  /// A connection ended, or did not come about.
  mutating func lost(_ id: ConnectionID, _ error: RPCError, now: NIODeadline) -> [Action] {
    guard let slot = slots.firstIndex(where: { $0.state == .connecting(id) }) else {
      return left(id, error, now: now)
    }
    var actions: [Action] = []
    slots[slot].failures += 1
    slots[slot].lastFailure = error
    backOff(slot, now, &actions)
    resolveAgain(now, &actions)
    refuseHopeless(&actions)
    return actions
  }

  /// A connection had no calls for a while.
  mutating func fellIdle(_ id: ConnectionID) -> [Action] {
    guard let slot = slots.firstIndex(where: { $0.state == .ready(id) }) else { return [] }
    ready.removeAll { $0.id == id }
    isForsaken = ready.isEmpty
    slots[slot].state = .idle
    hasIdle = true
    return [.retire(id)]
  }

  /// A ready connection leaves its slot.
  private mutating func left(
    _ id: ConnectionID, _ error: RPCError, isSuccess: Bool = false, now: NIODeadline
  ) -> [Action] {
    guard let slot = slots.firstIndex(where: { $0.state == .ready(id) }),
      let index = ready.firstIndex(where: { $0.id == id })
    else { return [] }
    let hadCalls = ready.remove(at: index).hasCalls
    let wasSuccess =
      isSuccess || slots[slot].isIntroduced && now - slots[slot].readySince >= settings.backoff.successAfter
    slots[slot].earlyEnds = wasSuccess ? 0 : slots[slot].earlyEnds + 1
    slots[slot].lastFailure = error
    isForsaken = ready.isEmpty
    hasIdle = true
    var actions: [Action] = []
    if slots[slot].earlyEnds > Self.earlyEndsForgiven {
      backOff(slot, now, &actions)
    } else {
      slots[slot].state = .idle
    }
    if hadCalls { actions += startIdle(now) }
    resolveAgain(now, &actions)
    refuseHopeless(&actions)
    return actions
  }

  // MARK: - Time

  /// Time has passed. Does nothing before the last `wake` is due: a timer that was replaced may be on its way already.
  mutating func timePassed(now: NIODeadline) -> [Action] {
    guard !isClosed, let wakeAt, wakeAt <= now else { return [] }
    self.wakeAt = nil
    var actions: [Action] = []
    var next = NIODeadline.distantFuture
    var late: [WaiterID] = []
    for (id, waiter) in waiters {
      guard let deadline = waiter.deadline else { continue }
      if deadline <= now { late.append(id) } else { next = min(next, deadline) }
    }
    if !late.isEmpty {
      let error = failures.deadlinePassed
      for id in late.sorted() {
        waiters[id] = nil
        actions.append(.refuse(id, error))
      }
    }
    for index in slots.indices {
      guard case .backoff(let until) = slots[index].state else { continue }
      if until > now {
        next = min(next, until)
      } else if calls != slots[index].callsAtFailure || !waiters.isEmpty {
        connect(index, &actions)
      } else {
        slots[index].state = .idle
        hasIdle = true
      }
    }
    for target in resolutions.keys.sorted() {
      guard case .backoff(let until)? = resolutions[target]?.state else { continue }
      if until > now {
        next = min(next, until)
      } else {
        resolutions[target]?.state = .idle
        hasIdle = true
        if !waiters.isEmpty { resolve(target, now, &actions) }
      }
    }
    if next < .distantFuture { cover(next, &actions) }
    return actions
  }

  /// The client is closed: calls that wait are refused. Connections are the shell's to close.
  mutating func close() -> [Action] {
    if isClosed { return [] }
    isClosed = true
    ready = []
    slots = []
    hasIdle = true
    defer { waiters = [:] }
    return waiters.keys.sorted().map { .refuse($0, .clientClosed(isRejected: true)) }
  }

  // MARK: - Slots

  /// Makes the slots be those of the addresses that are known.
  private mutating func arrangeSlots() -> [Action] {
    var endpoints = fixed
    for target in resolutions.keys.sorted() { endpoints += resolutions[target]?.endpoints ?? [] }
    var known: Set<Endpoint> = []
    let wanted = endpoints.filter { known.insert($0).inserted }.prefix(max(1, settings.addresses))
    var old = Dictionary(grouping: slots, by: \.endpoint)
    slots = wanted.flatMap { endpoint in
      old.removeValue(forKey: endpoint)
        ?? (0..<max(1, settings.connectionsPerAddress)).map { _ in Slot(endpoint: endpoint) }
    }
    hasIdle = true
    return old.values.joined().compactMap { slot in
      switch slot.state {
      case .idle, .backoff: return nil
      case .connecting(let id): return .abandon(id)
      case .ready(let id):
        ready.removeAll { $0.id == id }
        return .retire(id)
      }
    }
  }

  /// Connects all slots and resolves all names that nothing was done for yet.
  private mutating func startIdle(_ now: NIODeadline) -> [Action] {
    var actions: [Action] = []
    for index in slots.indices {
      switch slots[index].state {
      case .idle: connect(index, &actions)
      case .backoff where isForsaken && slots[index].earlyEnds <= Self.earlyEndsForgiven: connect(index, &actions)
      default: break
      }
    }
    isForsaken = false
    for target in resolutions.keys.sorted() where resolutions[target]?.endpoints.isEmpty == true {
      if resolutions[target]?.state == .idle { resolve(target, now, &actions) }
    }
    hasIdle = false
    return actions
  }

  private mutating func connect(_ slot: Int, _ actions: inout [Action]) {
    lastConnection += 1
    slots[slot].state = .connecting(lastConnection)
    actions.append(.connect(lastConnection, slots[slot].endpoint))
  }

  private mutating func backOff(_ slot: Int, _ now: NIODeadline, _ actions: inout [Action]) {
    let failures = slots[slot].failures + max(0, slots[slot].earlyEnds - Self.earlyEndsForgiven)
    let until = now + settings.backoff.pause(afterFailures: failures, using: &random)
    slots[slot].state = .backoff(until: until)
    slots[slot].callsAtFailure = calls
    cover(until, &actions)
  }

  /// Looks up names anew, since an address of some target failed.
  private mutating func resolveAgain(_ now: NIODeadline, _ actions: inout [Action]) {
    for target in resolutions.keys.sorted() {
      guard let resolution = resolutions[target], resolution.state == .idle,
        resolution.startedAt.map({ now - $0 >= Self.resolutionSpacing }) ?? true
      else { continue }
      resolve(target, now, &actions)
    }
  }

  private mutating func resolve(_ target: TargetID, _ now: NIODeadline, _ actions: inout [Action]) {
    resolutions[target]?.state = .running
    resolutions[target]?.startedAt = now
    actions.append(.resolve(target))
  }

  /// Sees to it that time passes then or earlier. There is one wake at a time: with another one for each pause and each
  /// call, every one of them would look at all, and ask for the next.
  private mutating func cover(_ deadline: NIODeadline, _ actions: inout [Action]) {
    if let wakeAt, wakeAt <= deadline { return }
    wakeAt = deadline
    actions.append(.wake(deadline))
  }

  // MARK: - Calls without a connection

  /// Whether something is under way that may yield a connection.
  private var isPending: Bool {
    slots.contains { slot in
      if case .connecting = slot.state { true } else { false }
    } || resolutions.values.contains { $0.state == .running }
  }

  /// Refuses the calls that do not wait for ready, if nothing is under way that they could wait for.
  private mutating func refuseHopeless(_ actions: inout [Action]) {
    guard ready.isEmpty, !waiters.isEmpty, !isPending else { return }
    let error = failures.unreachable
    for (id, waiter) in waiters.sorted(by: { $0.key < $1.key }) where !waiter.waitsForReady {
      waiters[id] = nil
      actions.append(.refuse(id, error))
    }
  }

  private var failures: ConnectFailures {
    ConnectFailures(
      addresses: slots.compactMap { slot in slot.lastFailure.map { (slot.endpoint, $0) } },
      names: resolutions.sorted { $0.key < $1.key }.compactMap { _, resolution in
        resolution.endpoints.isEmpty ? resolution.lastFailure : nil
      })
  }
}
