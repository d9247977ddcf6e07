public import FoundationEssentials
public import Logging

/// PostgreSQL for many concurrent callers.
///
/// Short statements go through ``query(_:_:for:)`` and ``transaction(_:for:)``: they share a few connections, one behind
/// the other without waiting for each other's answers. Whatever is slow, large or to be cancelled leases a connection
/// for itself with ``withConnection(_:for:_:)``.
///
/// Connections are divided into lanes by kind of work: plain reads and other short statements, which follow from the
/// statement, and those of ``LeasedLane``, which the caller names. A caller says on behalf of which tenant it acts, nil
/// being the platform itself: those who wait in a lane are served in turn by tenant, and a tenant has bounds of its own,
/// so that one that asks for much delays itself.
///
/// Connections are made when first needed, and again when they break; while the database is down, calls wait for up to
/// the acquire timeout. One thread drives all connections; it ends with ``run()`` or ``shutDown()``.
public final class PostgresPool: Sendable {
  let reactor: Reactor

  /// Starts the pool's thread; connects to nothing yet.
  ///
  /// - Throws: ``PostgresError`` of kind `configuration` when the system has no thread or descriptor to give.
  public init(configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
    reactor = try Reactor(configuration, logger: logger)
  }

  deinit {
    reactor.post(.shutDown)
  }

  /// Waits until the task is cancelled, then shuts down.
  public func run() async {
    let cancelled = Gate()
    await withTaskCancellationHandler {
      await cancelled.wait()
    } onCancel: {
      cancelled.open()
    }
    await shutDown()
  }

  /// Refuses new calls, lets those under way end within the grace time, and closes all connections.
  public func shutDown() async {
    reactor.post(.shutDown)
    await reactor.waitUntilEnded()
  }

  /// Runs one short statement on a shared connection.
  ///
  /// It is a transaction of its own. On cancellation the call returns at once and its result is dropped; the statement
  /// itself goes on, within the statement timeout. It must not be BEGIN, SET or anything else that outlives it.
  ///
  /// - Throws: ``PostgresError``, or `CancellationError`.
  public func query(
    _ statement: Statement, _ parameters: [Parameter] = [], for tenant: UUID? = nil
  ) async throws -> QueryResult {
    let results = try await perform(Call([BoundStatement(statement, parameters)], for: tenant))
    guard let result = results.first else { throw PostgresError.noResult }
    return result
  }

  /// Runs several short statements between BEGIN and COMMIT, in one round trip on a shared connection.
  ///
  /// The first error undoes all of them and is thrown, with the statement's index. Cancellation is that of
  /// ``query(_:_:for:)``: the transaction may commit nevertheless.
  ///
  /// - Returns: the results, in the statements' order.
  public func transaction(
    _ statements: [(Statement, [Parameter])], for tenant: UUID? = nil
  ) async throws -> [QueryResult] {
    if statements.isEmpty { return [] }
    return try await perform(Call(BoundStatement.all(statements), .statements, .whole, for: tenant))
  }

  private func perform(_ call: Call) async throws -> [QueryResult] {
    try await withTaskCancellationHandler {
      try await call.completion.wait {
        if !reactor.post(.call(call)) { call.fail(.poolClosed) }
      }
    } onCancel: {
      call.completion.end(.failure(CancellationError()))
    }
  }

  /// Leases a connection for as long as `body` runs.
  ///
  /// Waits for one within the acquire timeout. A connection that is given back inside of a transaction is closed.
  ///
  /// - Throws: ``PostgresError``, `CancellationError`, or what `body` throws.
  public nonisolated(nonsending) func withConnection<Value>(
    _ lane: LeasedLane = .interactive, for tenant: UUID? = nil,
    _ body: nonisolated(nonsending) (PostgresConnection) async throws -> Value
  ) async throws -> Value {
    let lease = Lease(lane, tenant)
    try await withTaskCancellationHandler {
      try await lease.granted.wait {
        if !reactor.post(.lease(lease)) { lease.granted.end(.failure(PostgresError.poolClosed)) }
      }
    } onCancel: {
      if lease.granted.end(.failure(CancellationError())) { reactor.post(.withdraw(lease)) }
    }
    let connection = PostgresConnection(reactor: reactor, lease: lease)
    do {
      let value = try await body(connection)
      await connection.giveBack()
      return value
    } catch {
      await connection.giveBack()
      throw error
    }
  }
}

extension BoundStatement {
  static func all(_ statements: [(Statement, [Parameter])]) throws(PostgresError) -> [BoundStatement] {
    var bound: [BoundStatement] = []
    bound.reserveCapacity(statements.count)
    for (index, (statement, parameters)) in statements.enumerated() {
      do throws(PostgresError) {
        bound.append(try BoundStatement(statement, parameters))
      } catch {
        var error = error
        error.statementIndex = index
        throw error
      }
    }
    return bound
  }
}

extension PostgresError {
  static let noResult = PostgresError(.misuse, "the statement gave no result")
}
