import DequeModule

/// What one connection owes its callers: which commands to hand to libpq, and what each reply means. No I/O.
///
/// ```
///              send, sendShared                      sendAlone
///   pipelining ────────────────▶ pipelining    idle ───────────▶ alone ──end──▶ idle
/// ```
/// In pipeline mode libpq answers in order, and a NULL ends each command except Sync, so a queue of what is expected
/// tells every reply's owner. Three rules of PostgreSQL shape the queue:
///
/// - After an error the server skips everything up to the next Sync. So each call ends with its own Sync, and only
///   reads, which may run again, share one.
/// - A Sync does not end a transaction that was begun explicitly. So a transaction, and the end of one, is
///   `… Sync COMMIT Sync`: after an error the first Sync makes the server listen again, and COMMIT, which
///   rolls a failed transaction back without complaint, clears the way for the next caller.
/// - A skipped or failed Parse leaves no prepared statement, and calls that were sent meanwhile relied on it. They
///   fail without effect, and are sent again with their text.
///
/// COPY and scripts of several statements are forbidden in pipeline mode, and run alone.
struct PGConnectionStateMachine<Token> {
  /// Which of a call's statements a command or reply is about.
  enum Part: Equatable {
    case begin
    case statement(Int)
    case commit
  }

  /// What to hand to libpq, in this order.
  enum Command: Equatable {
    case prepare(PreparedStatements.Name, Part, types: [PostgresType])
    /// With nil, send text and parameters together.
    case execute(PreparedStatements.Name?, Part)
    case sync
  }

  enum Shape: Equatable {
    /// The statements as they are. Sent again if a stale preparation was refused, which a caller's open
    /// transaction forbids.
    case plain(mayResend: Bool)
    /// Behind BEGIN, in a transaction that stays open.
    case beginning
    /// Before COMMIT, in a transaction that was open.
    case end
    /// Between BEGIN and COMMIT.
    case transaction
    /// One statement whose rows come one by one.
    case rowByRow
  }

  enum Reply: Equatable {
    /// A command is done, maybe with rows.
    case success
    /// One of a streamed statement's rows.
    case row
    case failure(ErrorClass)
    /// Skipped because of an earlier error.
    case skipped
    /// The NULL after a command's results.
    case end
    /// The server has met a Sync.
    case sync
    /// The server waits for COPY data.
    case copyIn
  }

  /// The errors that say something about the connection rather than about the statement.
  enum ErrorClass: Equatable {
    case ordinary
    /// The server does not know the prepared statement, or no longer in this shape.
    case stalePreparation
    /// The statement came into a transaction that had failed before.
    case inFailedTransaction
  }

  enum Outcome: Equatable {
    case succeeded
    case failed
    /// It has had no effect: send it again, alone.
    case resend
  }

  enum Action {
    case none
    /// The reply's result belongs to this statement.
    case keepResult(Token, Part)
    /// The reply is a row of this call's.
    case keepRow(Token)
    /// The reply is this call's error.
    case keepError(Token, Part)
    /// The next replies are rows: ask libpq for single-row mode before reading on.
    case beginRows(Token)
    /// Send COPY data.
    case sendCopyData(Token)
    case finished(Token, Outcome)
    case groupFinished([Token], outcomes: [Outcome])
    /// libpq and this machine disagree: the connection cannot be used any longer.
    case desynchronized
  }

  private enum Expected {
    case prepare(PreparedStatements.Name, Token, Part)
    case execute(Token, Part, prepared: PreparedStatements.Name?, rowByRow: Bool)
    /// A Sync in the middle of a call.
    case innerSync
    case sync(Token, mayResend: Bool)
    case sharedSync([Token])
    case alone(Token)
  }

  private struct Failure {
    var position: Int
    var stale: Bool
  }

  private var expected = Deque<Expected>()
  private var prepared: PreparedStatements
  /// The first error since the last call or group ended.
  private var failure: Failure?
  /// Which call of a group the replies are about, counted by executions.
  private var executionsSeen = 0
  private var rowsSeen = false
  /// Whether calls of several callers follow each other here, none of which may leave a transaction behind.
  private let isShared: Bool

  init(isShared: Bool, prepared: PreparedStatements = PreparedStatements()) {
    self.isShared = isShared
    self.prepared = prepared
  }

  /// Whether replies are due.
  var expectsReplies: Bool { !expected.isEmpty }

  /// Sends one call.
  ///
  /// - Parameter isPreparing: false when a preparation let the call down before: then its text goes along, and
  ///   whatever is wrong is said about this call and not about the one that failed to prepare for it.
  mutating func send(
    _ token: Token, _ statements: [BoundStatement], _ shape: Shape, isPreparing: Bool = true
  ) -> [Command] {
    var commands: [Command] = []
    commands.reserveCapacity(statements.count + 2)
    func add(_ part: Part, _ statement: Statement, _ types: [PostgresType]) {
      if isPreparing {
        self.add(token, part, statement, types, rowByRow: shape == .rowByRow, to: &commands)
      } else {
        commands.append(.execute(nil, part))
        expected.append(.execute(token, part, prepared: nil, rowByRow: shape == .rowByRow))
      }
    }
    if shape == .beginning || shape == .transaction { add(.begin, .begin, []) }
    for (index, bound) in statements.enumerated() { add(.statement(index), bound.statement, bound.types) }
    if shape == .end || shape == .transaction {
      if !statements.isEmpty {
        commands.append(.sync)
        expected.append(.innerSync)
      }
      add(.commit, .commit, [])
    }
    commands.append(.sync)
    let mayResend =
      switch shape {
      case .plain(let mayResend): mayResend
      case .transaction, .rowByRow: true
      // What has succeeded of the open transaction cannot be sent again from here.
      case .beginning, .end: false
      }
    expected.append(.sync(token, mayResend: mayResend))
    return commands
  }

  /// Sends several reads, of one statement each, before one Sync. The commands are those of all of them, in order;
  /// each execution belongs to the next token.
  mutating func sendShared(_ tokens: [Token], _ reads: [BoundStatement]) -> [Command] {
    var commands: [Command] = []
    commands.reserveCapacity(tokens.count + 1)
    for (token, read) in zip(tokens, reads) {
      add(token, .statement(0), read.statement, read.types, to: &commands)
    }
    commands.append(.sync)
    expected.append(.sharedSync(tokens))
    return commands
  }

  /// Sends what pipeline mode forbids. False while anything else is under way.
  mutating func sendAlone(_ token: Token) -> Bool {
    guard expected.isEmpty else { return false }
    expected.append(.alone(token))
    return true
  }

  mutating func received(_ reply: Reply) -> Action {
    switch expected.first {
    case .prepare(let name, let token, let part): preparing(name, token, part, reply)
    case .execute(let token, let part, let name, let rowByRow): executing(token, part, name, rowByRow, reply)
    case .innerSync, .sync, .sharedSync: reply == .sync ? synced() : .desynchronized
    case .alone(let token): alone(token, reply)
    case nil: .desynchronized
    }
  }

  /// The connection is gone. Returns the calls whose end nobody will learn, in order.
  mutating func connectionLost() -> [Token] {
    let open = expected.flatMap { (entry) -> [Token] in
      switch entry {
      case .sync(let token, _), .alone(let token): [token]
      case .sharedSync(let tokens): tokens
      case .prepare, .execute, .innerSync: []
      }
    }
    expected.removeAll()
    return open
  }
}

extension PGConnectionStateMachine {
  private mutating func add(
    _ token: Token, _ part: Part, _ statement: Statement, _ types: [PostgresType], rowByRow: Bool = false,
    to commands: inout [Command]
  ) {
    let name: PreparedStatements.Name?
    switch prepared.use(statement, types: types) {
    case .ready(let ready): name = ready
    case .unprepared: name = nil
    case .prepare(let new, let types):
      commands.append(.prepare(new, part, types: types))
      expected.append(.prepare(new, token, part))
      name = new
    }
    commands.append(.execute(name, part))
    expected.append(.execute(token, part, prepared: name, rowByRow: rowByRow))
  }

  private mutating func preparing(
    _ name: PreparedStatements.Name, _ token: Token, _ part: Part, _ reply: Reply
  ) -> Action {
    switch reply {
    case .success: return .none
    case .failure(let error):
      prepared.forget(name)
      return leavesTransactionOpen(part, error) ? .desynchronized : failed(token, part, stale: false)
    case .skipped:
      prepared.forget(name)
      return .none
    case .end: return next()
    case .row, .sync, .copyIn: return .desynchronized
    }
  }

  private mutating func executing(
    _ token: Token, _ part: Part, _ name: PreparedStatements.Name?, _ rowByRow: Bool, _ reply: Reply
  ) -> Action {
    switch reply {
    case .success: return .keepResult(token, part)
    case .row:
      rowsSeen = true
      return rowByRow ? .keepRow(token) : .desynchronized
    case .failure(let error):
      if leavesTransactionOpen(part, error) { return .desynchronized }
      let isStale = error == .stalePreparation && name != nil && !rowsSeen
      if isStale, let name { prepared.forget(name) }
      return failed(token, part, stale: isStale)
    case .skipped: return .none
    case .end:
      executionsSeen += 1
      return next()
    case .sync, .copyIn: return .desynchronized
    }
  }

  /// Whether the next caller on a shared connection would find itself in somebody's transaction: COMMIT was not even
  /// understood, or a transaction is open that no call of ours can have left.
  private func leavesTransactionOpen(_ part: Part, _ error: ErrorClass) -> Bool {
    isShared && (error == .inFailedTransaction || (part == .commit && error == .stalePreparation))
  }

  private mutating func failed(_ token: Token, _ part: Part, stale: Bool) -> Action {
    guard failure == nil else { return .none }
    failure = Failure(position: executionsSeen, stale: stale)
    return .keepError(token, part)
  }

  /// A command's replies are complete.
  private mutating func next() -> Action {
    expected.removeFirst()
    if case .execute(let token, _, _, rowByRow: true) = expected.first, failure == nil { return .beginRows(token) }
    return .none
  }

  private mutating func synced() -> Action {
    let entry = expected.removeFirst()
    if case .innerSync = entry { return .none }
    defer {
      failure = nil
      executionsSeen = 0
      rowsSeen = false
    }
    switch entry {
    case .sync(let token, let mayResend):
      guard let failure else { return .finished(token, .succeeded) }
      return .finished(token, failure.stale && mayResend ? .resend : .failed)
    case .sharedSync(let tokens):
      guard let failure else { return .groupFinished(tokens, outcomes: tokens.map { _ in .succeeded }) }
      // The group was one implicit transaction: what succeeded before the error was undone, what came after it was
      // skipped. Both run again.
      let outcomes = tokens.indices.map { (index) -> Outcome in
        index == failure.position && !failure.stale ? .failed : .resend
      }
      return .groupFinished(tokens, outcomes: outcomes)
    case .innerSync, .prepare, .execute, .alone: return .desynchronized
    }
  }

  private mutating func alone(_ token: Token, _ reply: Reply) -> Action {
    switch reply {
    case .success: return .keepResult(token, .statement(0))
    case .failure: return failed(token, .statement(0), stale: false)
    case .copyIn: return .sendCopyData(token)
    case .end:
      expected.removeFirst()
      defer { failure = nil }
      return .finished(token, failure == nil ? .succeeded : .failed)
    case .row, .skipped, .sync: return .desynchronized
    }
  }
}

extension PGConnectionStateMachine.Action: Equatable where Token: Equatable {}
