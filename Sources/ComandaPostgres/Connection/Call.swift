/// One caller's statements on their way through the reactor.
///
/// Sendable: the `let`s are, and everything below the mark is touched by the reactor's thread alone.
final class Call: @unchecked Sendable {
  enum Work {
    /// The statements, in one round trip.
    case statements
    /// One statement, row by row.
    case rows(RowBuffer)
    /// SQL of one or more statements, without parameters and outside of the pipeline.
    case script(String)
    /// COPY … FROM STDIN, to the point where data is welcome.
    case copy(CopySession)
  }

  let statements: [BoundStatement]
  let work: Work
  /// What of a transaction it is.
  let part: TransactionPart
  /// On whose behalf, where it shares a connection.
  let tenant: Tenant
  let completion = OneShot<[QueryResult]>()

  // MARK: The reactor's

  var results: [QueryResult] = []
  var error: PostgresError?
  /// How often it was sent.
  var attempts = 0
  var isCancelRequested = false
  /// Rows that have come since the buffer was last filled.
  var newRows: [Row] = []
  /// The bytes of their values.
  var newRowBytes = 0

  init(
    _ statements: [BoundStatement], _ work: Work = .statements, _ part: TransactionPart = .none,
    for tenant: Tenant = nil
  ) {
    self.statements = statements
    self.work = work
    self.part = part
    self.tenant = tenant
  }

  /// Which shared connections it belongs on.
  var lane: PipelinedLane { isSharedRead ? .reads : .writes }

  /// Whether it may share a Sync with others of its kind.
  var isSharedRead: Bool {
    guard case .statements = work, part == .none, statements.count == 1 else { return false }
    return statements[0].statement.isReadOnly
  }

  /// Tells the caller how it went.
  func end() {
    let outcome: Result<[QueryResult], any Error> =
      if let error {
        .failure(isCancelRequested && error.sqlState == .queryCanceled ? CancellationError() : error)
      } else {
        .success(results)
      }
    switch work {
    case .statements, .script: break
    case .rows(let buffer): buffer.finish(outcome.map { _ in })
    case .copy(let session): session.end(outcome)
    }
    completion.end(outcome)
  }

  func fail(_ error: PostgresError) {
    self.error = error
    end()
  }

  /// Keeps the first error, and says which statement it is about.
  func keep(_ result: ResultHandle, as part: PGConnectionStateMachine<Call>.Part) {
    guard self.error == nil else { return }
    var error = result.error()
    if case .statement(let index) = part, statements.indices.contains(index) {
      error.statementName = statements[index].statement.name
      if statements.count > 1 { error.statementIndex = index }
    } else if part == .commit {
      error.statementName = Statement.commit.name
    }
    if error.sqlState == .queryCanceled, !isCancelRequested {
      error.kind = .statementTimeout
      error.message = "the database stopped the statement at its time limit"
    }
    self.error = error
  }
}
