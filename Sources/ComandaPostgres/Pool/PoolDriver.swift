import Glibc
import Logging

/// The reactor's thread: turns commands and socket events into the pool machine's inputs, and does what it says.
final class PoolDriver {
  typealias Instant = ContinuousClock.Instant

  struct Slot {
    var connection: LibPQConnection?
    var interest = Poller.Interest()
    /// Tells the events and cancel requests of one connection from those of its successor.
    var serial: UInt32 = 0
    var lease: Lease?
    /// Set when it was given back while a cancel request was on its way, which must hit nobody else: whether it may be
    /// used again.
    var givenBack: Bool?
    /// Reads that came in the same batch of commands.
    var reads: [Call] = []
  }

  let configuration: PostgresConfiguration
  let reactor: Reactor
  let poller: Poller
  let logger: Logger
  let scratch = ParameterScratch()
  var pool: PoolStateMachine<Call, Lease>
  var slots: [Slot]
  var connectError: PostgresError?
  var now = ContinuousClock.now
  /// When a shutdown stops waiting.
  private var closeBy: Instant?
  var random = SystemRandomNumberGenerator()

  /// How many reads share a Sync: an error makes all of them run again.
  private static let readsPerSync = 32
  /// How much longer than the statement timeout a server may keep silent before it counts as gone.
  private static let silenceGrace = Duration.seconds(5)

  init(_ configuration: PostgresConfiguration, reactor: Reactor, poller: Poller, logger: Logger) {
    self.configuration = configuration
    self.reactor = reactor
    self.poller = poller
    self.logger = logger
    pool = PoolStateMachine(
      PoolStateMachine.Limits(
        pipelined: PipelinedLane.allCases.map { configuration.limits(of: $0).usable },
        leased: LeasedLane.allCases.map { configuration.limits(of: $0).usable },
        acquireTimeout: configuration.acquireTimeout))
    slots = Array(repeating: Slot(), count: pool.slotCount)
  }

  /// Runs until shut down.
  func run() {
    var commands: [Reactor.Command] = []
    var events: [Poller.Event] = []
    while !isOver {
      poller.wait(reactor.hasCommands() ? .zero : timeUntilNextDeadline(), &events)
      now = ContinuousClock.now
      // Events come before commands, so that a call is not sent to a connection that broke before it was made.
      for event in events { handle(event) }
      keepTime()
      settle()
      reactor.takeCommands(&commands)
      if commands.isEmpty { continue }
      for command in commands { obey(command) }
      commands.removeAll(keepingCapacity: true)
      sendReads()
      settle()
    }
    endEverything()
  }

  // MARK: Commands

  private func obey(_ command: Reactor.Command) {
    switch command {
    case .call(let call):
      switch pool.call(call, of: call.tenant, in: call.lane.rawValue, now: now) {
      case .served(let slot): send(call, on: slot)
      case .waits: break
      case .refused(let refusal): call.fail(.init(refusal))
      }
    case .lease(let lease):
      switch pool.lease(lease, of: lease.tenant, in: lease.lane.rawValue, now: now) {
      case .served(let slot): grant(lease, slot)
      case .waits: break
      case .refused(let refusal): lease.granted.end(.failure(PostgresError(refusal)))
      }
    case .withdraw(let lease): pool.withdraw(of: lease.tenant, in: lease.lane.rawValue) { $0 === lease }
    case .leasedCall(let lease, let call):
      guard let slot = lease.slot else { return call.fail(.leaseEnded) }
      guard let connection = slots[slot].connection else {
        return call.fail(.connectionLost(outcomeUnknown: false))
      }
      connection.send(call, now: now)
      updateInterest(slot)
    case .cancel(let lease, let call): cancel(call, of: lease)
    case .cancelEnded(let slot, let serial):
      guard slots[slot].serial == serial else { break }
      slots[slot].connection?.cancelEnded(now: now)
      if let reusable = slots[slot].givenBack { release(slot, reusable: reusable) }
      updateInterest(slot)
    case .resumeRows(let lease):
      guard let slot = lease.slot else { break }
      slots[slot].connection?.resume(now: now)
      updateInterest(slot)
    case .copy(let lease, let session, let chunk):
      guard let slot = lease.slot, let connection = slots[slot].connection else {
        chunk.sent.end(.failure(PostgresError.connectionLost(outcomeUnknown: false)))
        break
      }
      connection.copy(chunk, of: session)
      updateInterest(slot)
    case .endCopy(let lease, let session, let reason):
      guard let slot = lease.slot, let connection = slots[slot].connection else {
        session.finished.end(.failure(PostgresError.connectionLost(outcomeUnknown: false)))
        break
      }
      connection.endCopy(of: session, abortingBecause: reason)
      updateInterest(slot)
    case .release(let lease, let reusable): release(lease, reusable: reusable)
    case .connected(let slot, let result): connected(slot, result)
    case .shutDown: shutDown()
    }
  }

  private func send(_ call: Call, on slot: Int) {
    guard let connection = slots[slot].connection else {
      pool.callEnded(slot, of: call.tenant)
      return call.fail(.connectionLost(outcomeUnknown: false))
    }
    if call.completion.hasEnded {
      // Cancelled while it waited.
      pool.callEnded(slot, of: call.tenant)
    } else if call.isSharedRead {
      slots[slot].reads.append(call)
    } else {
      connection.send(call, now: now)
      updateInterest(slot)
    }
  }

  /// Sends the reads that were gathered, in groups that share a Sync.
  private func sendReads() {
    for slot in slots.indices where !slots[slot].reads.isEmpty {
      let reads = slots[slot].reads
      slots[slot].reads.removeAll(keepingCapacity: true)
      guard let connection = slots[slot].connection else {
        for call in reads { call.fail(.connectionLost(outcomeUnknown: false)) }
        continue
      }
      var rest = reads[...]
      while !rest.isEmpty {
        let group = rest.prefix(Self.readsPerSync)
        rest = rest.dropFirst(group.count)
        if group.count == 1, let only = group.first {
          connection.send(only, now: now)
        } else {
          connection.sendShared(Array(group), now: now)
        }
      }
      updateInterest(slot)
    }
  }

  private func grant(_ lease: Lease, _ slot: Int) {
    lease.slot = slot
    slots[slot].lease = lease
    if !lease.granted.end(.success(())) {
      // Cancelled while it waited.
      release(lease, reusable: true)
    }
  }

  private func release(_ lease: Lease, reusable: Bool) {
    guard let slot = lease.slot else { return }
    lease.slot = nil
    slots[slot].lease = nil
    if let connection = slots[slot].connection, connection.isCancelling, connection.failure == nil {
      slots[slot].givenBack = reusable
    } else {
      release(slot, reusable: reusable)
    }
  }

  private func release(_ slot: Int, reusable: Bool) {
    slots[slot].givenBack = nil
    let connection = slots[slot].connection
    let isClean = connection?.isReusable ?? false
    if let connection, !isClean, connection.failure == nil {
      logger.warning("a leased database connection was given back in use or in a transaction, it is closed")
    }
    if pool.release(slot, reusable: reusable && isClean) == .close { discard(slot, .leaseEnded) }
  }

  private func cancel(_ call: Call, of lease: Lease) {
    guard let slot = lease.slot, let connection = slots[slot].connection, !call.completion.hasEnded else { return }
    let serial = slots[slot].serial
    connection.cancel(call) { [reactor] in
      reactor.post(.cancelEnded(slot: slot, serial: serial))
    }
  }

  // MARK: After each round

  /// Ends calls, replaces what broke, and serves those who wait, until nothing changes any more.
  private func settle() {
    repeat {
      for slot in slots.indices { endCalls(slot) }
      while let (lease, slot) = pool.nextLease(now: now) { grant(lease, slot) }
      while let (call, slot) = pool.nextCall() { send(call, on: slot) }
      sendReads()
      for slot in pool.slotsToConnect(now: now) { connect(slot) }
    } while slots.contains { $0.connection.map { $0.failure != nil || $0.hasEnded } ?? false }
  }

  private func endCalls(_ slot: Int) {
    guard let connection = slots[slot].connection else { return }
    for call in connection.takeEnded() {
      if connection.isShared { pool.callEnded(slot, of: call.tenant) }
      call.end()
    }
    if let failure = connection.failure {
      logger.info(
        "a database connection broke",
        metadata: ["sqlstate": "\(failure.sqlState?.code ?? "-")", "detail": "\(failure.detailForLog ?? "-")"])
      discard(slot, failure)
      pool.lost(slot)
      if slots[slot].givenBack != nil { release(slot, reusable: false) }
    }
  }

  // MARK: Time

  private func timeUntilNextDeadline() -> Duration? {
    var earliest = pool.nextDeadline
    func consider(_ deadline: Instant?) {
      if let deadline { earliest = min(earliest ?? deadline, deadline) }
    }
    consider(closeBy)
    for slot in slots { consider(slot.connection.flatMap(silenceDeadline)) }
    return earliest.map { max(.zero, $0 - now) }
  }

  /// When a shared connection that owes us an answer counts as gone.
  private func silenceDeadline(_ connection: LibPQConnection) -> Instant? {
    guard connection.isShared, connection.expectsReplies, let limit = pool.statementTimeout(of: connection.slot) else {
      return nil
    }
    return connection.lastProgress + limit + Self.silenceGrace
  }

  private func keepTime() {
    let unserved = pool.expired(now: now)
    if !unserved.calls.isEmpty || !unserved.leases.isEmpty {
      var error = PostgresError(
        .unavailable, "no database connection within \(configuration.acquireTimeout)", sqlState: connectError?.sqlState)
      error.detailForLog = connectError?.detailForLog
      refuse(unserved, error)
    }
    for slot in slots {
      if let connection = slot.connection, let deadline = silenceDeadline(connection), deadline <= now {
        connection.fail(with: PostgresError(.unavailable, "the database has not answered for too long"))
      }
    }
  }

  func refuse(_ unserved: PoolStateMachine<Call, Lease>.Unserved, _ error: PostgresError) {
    for call in unserved.calls { call.fail(error) }
    for lease in unserved.leases { lease.granted.end(.failure(error)) }
  }

  // MARK: The end

  private var isOver: Bool {
    guard let closeBy else { return false }
    return pool.isIdle || closeBy <= now
  }

  private func shutDown() {
    guard closeBy == nil else { return }
    closeBy = now + configuration.shutdownGrace
    refuse(pool.shutDown(), .poolClosed)
    poller.abort()
  }

  private func endEverything() {
    for command in reactor.close() { obey(command) }
    for slot in slots.indices {
      slots[slot].lease?.slot = nil
      discard(slot, .poolClosed)
    }
  }
}

extension PostgresError {
  fileprivate init(_ refusal: PoolStateMachine<Call, Lease>.Refusal) {
    switch refusal {
    case .tooManyWaiters: self.init(.poolExhausted, "as many callers wait for a database connection as may wait")
    case .shutDown: self = .poolClosed
    }
  }
}
