import CLibPQ
import Logging

/// One libpq connection: hands the machine's commands to libpq, and libpq's results to the machine.
///
/// Lives on the reactor's thread alone. Every call into libpq returns at once: the connection is non-blocking, and
/// what blocks nevertheless (connecting, cancelling) happens in ``Connector`` and ``Canceller``.
final class LibPQConnection {
  typealias Machine = PGConnectionStateMachine<Call>

  let slot: Int
  let isShared: Bool
  let raw: OpaquePointer
  private let scratch: ParameterScratch
  private let notices: NoticeLog
  private var machine: Machine
  /// The call that runs outside of the pipeline.
  var alone: Call?
  var copySession: CopySession?
  /// Calls that wait until a cancel request has certainly reached its victim.
  private var heldBack: [Call] = []

  /// Calls that have ended since the driver last looked.
  private(set) var ended: [Call] = []
  /// Set once the connection cannot be used any longer.
  private(set) var failure: PostgresError?
  /// Whether libpq holds bytes that the socket does not take yet.
  private(set) var wantsWrite = false
  /// Whether rows pile up at their reader.
  private(set) var isPaused = false
  private(set) var isCancelling = false
  /// When the server last answered, or was first owed an answer.
  private(set) var lastProgress: ContinuousClock.Instant

  init(
    _ connected: Connector.Connected, slot: Int, isShared: Bool, scratch: ParameterScratch, logger: Logger,
    now: ContinuousClock.Instant
  ) {
    raw = connected.raw
    self.slot = slot
    self.isShared = isShared
    self.scratch = scratch
    machine = Machine(isShared: isShared)
    lastProgress = now
    notices = NoticeLog(logger)
    notices.attach(to: raw)
    if PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1 { fail(with: nil) }
  }

  var descriptor: Int32 { PQsocket(raw) }

  /// Whether nothing is under way and the server is outside of any transaction.
  var isReusable: Bool {
    failure == nil && !machine.expectsReplies && !isCancelling && heldBack.isEmpty
      && PQtransactionStatus(raw) == PQTRANS_IDLE
  }

  var expectsReplies: Bool { machine.expectsReplies }

  var hasEnded: Bool { !ended.isEmpty }

  /// Closes the connection. It must not be used afterwards.
  func close() {
    PQfinish(raw)
  }

  func takeEnded() -> [Call] {
    defer { ended.removeAll(keepingCapacity: true) }
    return ended
  }

  // MARK: Sending

  func send(_ call: Call, now: ContinuousClock.Instant) {
    if failure != nil { return end(call, .connectionLost(outcomeUnknown: false, cause: failure)) }
    if call.isCancelRequested { return end(call, .cancelledBeforeSent) }
    if isCancelling { return heldBack.append(call) }
    if alone != nil { return end(call, .busy) }
    if !machine.expectsReplies { lastProgress = now }
    call.attempts += 1
    switch call.work {
    case .statements: run(machine.send(call, call.statements, shape(call), isPreparing: isPreparing(call)), [call])
    case .rows: sendRows(call)
    case .script(let sql): sendAlone(call, sql, nil)
    case .copy(let session): sendAlone(call, call.statements.first?.statement.sql ?? "", session)
    }
  }

  private func shape(_ call: Call) -> Machine.Shape {
    switch call.part {
    case .none, .middle: .plain(mayResend: isShared || PQtransactionStatus(raw) == PQTRANS_IDLE)
    case .beginning: .beginning
    case .end: .end
    case .whole: .transaction
    }
  }

  /// Sends reads that share a Sync.
  func sendShared(_ calls: [Call], now: ContinuousClock.Instant) {
    if failure != nil { return calls.forEach { send($0, now: now) } }
    if !machine.expectsReplies { lastProgress = now }
    for call in calls { call.attempts += 1 }
    run(machine.sendShared(calls, calls.flatMap(\.statements)), calls)
  }

  private func sendRows(_ call: Call) {
    guard !machine.expectsReplies else { return end(call, .busy) }
    let commands = machine.send(call, call.statements, .rowByRow)
    run(commands, [call])
    // Behind a Parse, single-row mode has to wait until that has been answered.
    if case .execute = commands.first { beginRows() }
  }

  private func beginRows() {
    if PQsetSingleRowMode(raw) != 1 { fail(with: nil) }
  }

  private func sendAlone(_ call: Call, _ sql: String, _ session: CopySession?) {
    guard machine.sendAlone(call) else { return end(call, .busy) }
    alone = call
    guard PQexitPipelineMode(raw) == 1, PQsendQuery(raw, sql) == 1 else { return fail(with: nil) }
    copySession = session
    flush()
  }

  /// Hands commands to libpq; each execution belongs to the next of the calls, or all to the only one.
  private func run(_ commands: [Machine.Command], _ calls: [Call]) {
    var index = 0
    for command in commands {
      let call = calls[min(index, calls.count - 1)]
      let isAccepted: Bool
      switch command {
      case .prepare(let name, let part, let types):
        isAccepted = scratch.prepare(raw, name, call.bound(part).statement.sql, types)
      case .execute(let name, let part):
        isAccepted = scratch.execute(raw, name, call.bound(part))
        if calls.count > 1 { index += 1 }
      case .sync:
        isAccepted = PQpipelineSync(raw) == 1
      }
      guard isAccepted else { return failToSend(calls) }
    }
    flush()
  }

  /// libpq refused a command, so the Sync that would have made the server act on it has not left this process.
  private func failToSend(_ calls: [Call]) {
    receive(now: lastProgress)
    fail(with: nil)
    for call in calls where call.error?.kind == .connectionLostOutcomeUnknown {
      call.error = .connectionLost(outcomeUnknown: false, cause: failure)
    }
  }

  /// Passes on what libpq holds.
  func flush() {
    guard failure == nil else { return }
    switch PQflush(raw) {
    case 0: wantsWrite = false
    case 1: wantsWrite = true
    // What the server said before it hung up is still to be read, and tells more than a broken pipe.
    default: receive(now: lastProgress)
    }
  }

  // MARK: Receiving

  /// The socket can take bytes again.
  func writable() {
    flush()
    pumpCopy()
  }

  /// The socket has bytes for libpq.
  func receive(now: ContinuousClock.Instant) {
    guard failure == nil else { return }
    lastProgress = now
    let isAlive = PQconsumeInput(raw) == 1
    readResults()
    // Makes libpq look at what the server says unasked: a connection that it is about to close is not to be used.
    if !machine.expectsReplies { _ = PQisBusy(raw) }
    if !isAlive || notices.lastWords != nil || PQstatus(raw) == CONNECTION_BAD { fail(with: notices.lastWords) }
  }

  /// The reader of rows has caught up.
  func resume(now: ContinuousClock.Instant) {
    guard isPaused else { return }
    isPaused = false
    readResults()
    receive(now: now)
  }

  func readResults() {
    while failure == nil, machine.expectsReplies, !isPaused, copySession?.isSending != true, PQisBusy(raw) == 0 {
      guard let result = PQgetResult(raw) else {
        act(on: machine.received(.end), nil)
        continue
      }
      let handle = ResultHandle(result)
      guard let reply = handle.reply else { return fail(with: nil) }
      // An error without a code is libpq's own: the connection broke.
      if case .failure = reply, PQstatus(raw) == CONNECTION_BAD, handle.field(PostgresDiagnostic.sqlState) == nil {
        return fail(with: nil)
      }
      act(on: machine.received(reply), handle)
    }
  }

  private func act(on action: Machine.Action, _ handle: ResultHandle?) {
    switch action {
    case .none: break
    case .keepResult(let call, .commit):
      // COMMIT of a transaction that has failed is a ROLLBACK, and no error.
      if let handle, handle.commandTag != "COMMIT", call.error == nil { call.error = .rolledBack }
    case .keepResult(let call, let part):
      guard let handle, case .statement = part else { break }
      if case .rows = call.work { break }
      call.results.append(QueryResult(handle: handle))
      if isShared, handle.beginsTransaction {
        call.error = .transactionOnSharedConnection
        fail(with: .transactionOnSharedConnection)
      }
    case .keepRow(let call):
      guard let handle else { break }
      keepRow(call, Row(result: handle, index: 0))
    case .keepError(let call, let part):
      if let handle { call.keep(handle, as: part) }
    case .beginRows: beginRows()
    case .sendCopyData: copyDataIsWelcome()
    case .finished(let call, let outcome):
      if alone === call { returnToPipeline() }
      finish(call, outcome)
    case .groupFinished(let calls, let outcomes):
      for (call, outcome) in zip(calls, outcomes) { finish(call, outcome) }
    case .desynchronized: fail(with: handle?.error())
    }
  }

  private func keepRow(_ call: Call, _ row: Row) {
    guard case .rows(let buffer) = call.work else { return }
    call.newRows.append(row)
    call.newRowBytes += row.byteCount
    if call.newRows.count >= RowBuffer.capacity / 4 || call.newRowBytes >= RowBuffer.byteCapacity / 4
      || PQisBusy(raw) == 1
    {
      isPaused = !buffer.append(call.newRows, bytes: call.newRowBytes)
      call.newRows.removeAll(keepingCapacity: true)
      call.newRowBytes = 0
    }
  }

  private func finish(_ call: Call, _ outcome: Machine.Outcome) {
    if case .rows(let buffer) = call.work, !call.newRows.isEmpty {
      _ = buffer.append(call.newRows, bytes: call.newRowBytes)
      call.newRows.removeAll()
    }
    if outcome == .resend, call.attempts < Self.attemptLimit, !call.completion.hasEnded {
      call.error = nil
      call.results.removeAll()
      return send(call, now: lastProgress)
    }
    if outcome == .resend, call.error == nil { call.error = .connectionLost(outcomeUnknown: false) }
    ended.append(call)
  }

  /// In a group, then alone, then without relying on any preparation.
  private static let attemptLimit = 3

  private func isPreparing(_ call: Call) -> Bool { call.attempts < Self.attemptLimit }

  private func end(_ call: Call, _ error: PostgresError) {
    call.error = error
    ended.append(call)
  }

  // MARK: The end

  /// Gives the connection up: nothing more is read or sent, and every call learns what can be known.
  func fail(with cause: PostgresError?) {
    guard failure == nil else { return }
    let words = PQerrorMessage(raw).map { String(cString: $0).trimmingTrailingNewlines() }
    let reason = cause ?? PostgresError(.connectionLostOutcomeUnknown, "the connection broke", detailForLog: words)
    failure = reason
    wantsWrite = false
    for call in machine.connectionLost() {
      if call.error?.sqlState == .idleInTransactionSessionTimeout {
        // The session had ended before the call reached it.
        call.error = .connectionLost(outcomeUnknown: false, cause: call.error)
      } else if call.error?.severity != "FATAL", call.error?.kind != .misuse {
        // FATAL is the server's last word on the statement that it was about: that one has not taken effect.
        call.error = .connectionLost(outcomeUnknown: !call.part.isUndoneByLoss, cause: reason)
      }
      ended.append(call)
    }
    for call in heldBack { end(call, .connectionLost(outcomeUnknown: false, cause: reason)) }
    heldBack.removeAll()
    alone = nil
    copySession = nil
  }
}

// MARK: - Cancelling

extension LibPQConnection {
  /// Starts to cancel what runs here; `done` is called on another thread when the server has been told.
  /// Nil: nothing is running that could be cancelled.
  func cancel(_ call: Call, done: @escaping @Sendable () -> Void) {
    call.isCancelRequested = true
    if let index = heldBack.firstIndex(where: { $0 === call }) {
      heldBack.remove(at: index)
      return end(call, .cancelledBeforeSent)
    }
    guard failure == nil, machine.expectsReplies, !isCancelling, let handle = PQgetCancel(raw) else { return }
    isCancelling = Canceller.cancel(handle, done: done)
  }

  /// The server has been told, so nothing sent from here on can be hit.
  func cancelEnded(now: ContinuousClock.Instant) {
    isCancelling = false
    let calls = heldBack
    heldBack.removeAll()
    for call in calls { send(call, now: now) }
  }
}

extension Call {
  fileprivate func bound(_ part: PGConnectionStateMachine<Call>.Part) -> BoundStatement {
    switch part {
    case .begin: .begin
    case .commit: .commit
    case .statement(let index): statements[index]
    }
  }
}

extension BoundStatement {
  fileprivate static let begin = BoundStatement(.begin)
  fileprivate static let commit = BoundStatement(.commit)
}
