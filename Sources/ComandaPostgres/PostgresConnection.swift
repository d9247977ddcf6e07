import Synchronization

/// A connection that one caller has alone, for the time of ``PostgresPool/withConnection(_:for:_:)``.
///
/// Cancelling the task cancels the statement that runs, on the server, and waits until it has ended.
public final class PostgresConnection: Sendable {
  private let reactor: Reactor
  private let lease: Lease
  private let state = Mutex(State())

  private struct State {
    /// A stream that may still be under way.
    var stream: RowStream.Source?
    var isReusable = true
    var transaction = TransactionState.none
  }

  /// Where the connection stands in ``transaction(_:)``.
  private enum TransactionState {
    case none
    /// BEGIN goes along with the first statement.
    case pending
    case open
    /// COMMIT was sent with the last statements.
    case ended
  }

  init(reactor: Reactor, lease: Lease) {
    self.reactor = reactor
    self.lease = lease
  }

  /// Runs one statement.
  ///
  /// - Throws: ``PostgresError``, or `CancellationError`.
  public func query(_ statement: Statement, _ parameters: [Parameter] = []) async throws -> QueryResult {
    let results = try await perform([BoundStatement(statement, parameters)])
    guard let result = results.first else { throw PostgresError.noResult }
    return result
  }

  /// Runs several statements in one round trip. After an error the rest is skipped.
  ///
  /// Outside of ``transaction(_:)`` they are not a transaction: on Citus the ones before an error stay.
  public func pipeline(_ statements: [(Statement, [Parameter])]) async throws -> [QueryResult] {
    if statements.isEmpty { return [] }
    return try await perform(BoundStatement.all(statements))
  }

  /// Runs SQL of one or more statements, without parameters. Results other than an error are dropped.
  public func execute(script sql: String) async throws {
    _ = try await perform(Call([], .script(sql), alone()))
  }

  /// Runs `body` between BEGIN and COMMIT; whatever it throws rolls back and is thrown on.
  ///
  /// BEGIN goes along with the first statement. End `body` with ``commit(with:)``: then COMMIT goes along with the
  /// last ones, and the transaction holds its locks for no longer than the server needs, whatever becomes of this
  /// program meanwhile. Otherwise COMMIT is a round trip of its own.
  public nonisolated(nonsending) func transaction<Value>(
    _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Value
  ) async throws -> Value {
    let isNested = state.withLock { state in
      defer { if state.transaction == .none { state.transaction = .pending } }
      return state.transaction != .none
    }
    if isNested { throw PostgresError.nestedTransaction }
    do {
      let value = try await body(self)
      if isInOpenTransaction { _ = try await commit() }
      leaveTransaction()
      return value
    } catch {
      if isInOpenTransaction { await rollBack() }
      leaveTransaction()
      throw error
    }
  }

  /// Runs the last statements of ``transaction(_:)`` and COMMIT, in one round trip. Nothing may follow.
  ///
  /// The first error undoes the transaction and is thrown, with the statement's index. On cancellation the transaction
  /// may be committed nevertheless.
  ///
  /// - Returns: the results, in the statements' order; all of it is durable by then.
  public func commit(with statements: [(Statement, [Parameter])] = []) async throws -> [QueryResult] {
    try await perform(BoundStatement.all(statements), commits: true)
  }

  private var isInOpenTransaction: Bool { state.withLock { $0.transaction == .open } }

  private func leaveTransaction() {
    state.withLock { $0.transaction = .none }
  }

  /// Rolls back, also when the task is cancelled. A connection that cannot even do that is closed by its pool.
  private nonisolated(nonsending) func rollBack() async {
    await finishStream()
    let call = Call([BoundStatement(.rollback)], .statements, .middle)
    _ = try? await call.completion.wait { post(call) }
  }

  /// Lets the session end with the lease: for those who change settings or take locks that outlive transactions.
  public func closeWhenGivenBack() {
    state.withLock { $0.isReusable = false }
  }

  /// Runs `COPY … FROM STDIN`, with the data that `body` writes.
  ///
  /// - Returns: the number of rows.
  /// - Throws: the server's ``PostgresError``, or what `body` throws; in both cases no row stays.
  public nonisolated(nonsending) func copyIn(
    _ sql: String, _ body: nonisolated(nonsending) (CopyWriter) async throws -> Void
  ) async throws -> Int {
    await finishStream()
    let session = CopySession()
    let call = try await Call([BoundStatement(Statement(sql, name: "copy"))], .copy(session), alone())
    let reactor = reactor
    let lease = lease
    return try await withTaskCancellationHandler {
      try await session.ready.wait {
        if !reactor.post(.leasedCall(lease, call)) { call.fail(.poolClosed) }
      }
      let writer = CopyWriter(reactor: reactor, lease: lease, session: session)
      do {
        try await body(writer)
        try Task.checkCancellation()
      } catch {
        // The reason reaches the server's log, so it says nothing about the data.
        _ = try? await writer.finish(abortingBecause: "the sender gave up")
        // When the server failed first, its error is the cause and not the one that `body` made of it.
        throw writer.serverError ?? error
      }
      return try await writer.finish(abortingBecause: nil)
    } onCancel: {
      reactor.post(.cancel(lease, call))
    }
  }

  /// Runs a statement whose rows are read one by one, however many they are, with a bounded number in memory.
  ///
  /// It starts with the first row asked for. Anything else on this connection ends it first.
  public func stream(_ statement: Statement, _ parameters: [Parameter] = []) -> RowStream {
    RowStream(statement, parameters, on: self)
  }
}

extension PostgresConnection {
  /// Starts a stream's statement.
  func stream(_ bound: BoundStatement) async throws -> RowStream.Source {
    await finishStream()
    let source = RowStream.Source(bound, try await alone())
    state.withLock { $0.stream = source }
    if !reactor.post(.leasedCall(lease, source.call)) { source.call.fail(.poolClosed) }
    return source
  }

  func resumeReading() {
    reactor.post(.resumeRows(lease))
  }

  func cancel(_ call: Call) {
    reactor.post(.cancel(lease, call))
  }

  /// Ends a stream that nobody reads any longer, if there is one.
  private nonisolated(nonsending) func finishStream() async {
    let open = state.withLock { state -> RowStream.Source? in
      defer { state.stream = nil }
      return state.stream
    }
    guard let open, !open.buffer.isFinished else { return }
    cancel(open.call)
    while case .rows(_, let isPaused)? = try? await open.buffer.next() {
      if isPaused { resumeReading() }
    }
  }

  nonisolated(nonsending) func giveBack() async {
    await finishStream()
    reactor.post(.release(lease, reusable: state.withLock { $0.isReusable }))
  }

  /// Which part of the open transaction the next statements are.
  private func nextPart(commits: Bool) throws(PostgresError) -> TransactionPart {
    let before = state.withLock { state in
      let before = state.transaction
      if before == .pending || before == .open { state.transaction = commits ? .ended : .open }
      return before
    }
    switch before {
    case .none where commits: throw .noTransaction
    case .none: return .none
    case .pending: return commits ? .whole : .beginning
    case .open: return commits ? .end : .middle
    case .ended: throw .transactionEnded
    }
  }

  /// Which part of the open transaction a call is that nothing can go along with: BEGIN goes before it.
  private nonisolated(nonsending) func alone() async throws -> TransactionPart {
    try Task.checkCancellation()
    let part = try nextPart(commits: false)
    guard part == .beginning else { return part }
    _ = try await perform(Call([], .statements, .beginning))
    return .middle
  }

  private nonisolated(nonsending) func perform(
    _ statements: [BoundStatement], commits: Bool = false
  ) async throws -> [QueryResult] {
    try Task.checkCancellation()
    return try await perform(Call(statements, .statements, nextPart(commits: commits)))
  }

  private nonisolated(nonsending) func perform(_ call: Call) async throws -> [QueryResult] {
    await finishStream()
    let reactor = reactor
    let lease = lease
    return try await withTaskCancellationHandler {
      try await call.completion.wait { post(call) }
    } onCancel: {
      reactor.post(.cancel(lease, call))
    }
  }

  private func post(_ call: Call) {
    if !reactor.post(.leasedCall(lease, call)) { call.fail(.poolClosed) }
  }
}
