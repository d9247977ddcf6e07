import ComandaPostgres
import ComandaTestDatabase
import Logging
import Testing

/// A pool on a database of the test's own, shut down afterwards.
nonisolated(nonsending) func withPool<Value>(
  _ configure: (inout PostgresConfiguration) -> Void = { _ in },
  _ body: nonisolated(nonsending) (PostgresPool) async throws -> Value
) async throws -> Value {
  try await withPool(url: try await TestDatabase.shared.makeDatabase(), configure, body)
}

/// A pool on the database with this URL, shut down afterwards.
nonisolated(nonsending) func withPool<Value>(
  url: String, _ configure: (inout PostgresConfiguration) -> Void = { _ in },
  _ body: nonisolated(nonsending) (PostgresPool) async throws -> Value
) async throws -> Value {
  var configuration = try PostgresConfiguration(url: url)
  configuration.shutdownGrace = .seconds(2)
  configure(&configuration)
  let pool = try PostgresPool(configuration: configuration, logger: Logger(label: "test"))
  do {
    let value = try await body(pool)
    await pool.shutDown()
    return value
  } catch {
    await pool.shutDown()
    throw error
  }
}

extension PostgresConfiguration {
  /// Changes the limits of both lanes of shared connections.
  mutating func setPipelined(_ change: (inout PipelinedLimits) -> Void) {
    change(&reads)
    change(&writes)
  }
}

extension PostgresPool {
  /// Connects, so that what follows meets a pool at work.
  func connect() async throws {
    _ = try await query(Statement("SELECT 1"))
  }

  /// The first column of the only row, as a number.
  func number(_ sql: String, _ parameters: [Parameter] = []) async throws -> Int64 {
    try await query(Statement(sql), parameters).rows[0].int64(0)
  }
}

extension PostgresPool {
  /// How many server processes of this database wait for an event of this name or type.
  func backends(waitingFor event: String) async throws -> Int64 {
    try await number(
      """
      SELECT count(*) FROM pg_stat_activity
      WHERE datname = current_database() AND (wait_event = $1 OR wait_event_type = $1)
      """, [.text(event)])
  }

  /// Returns once a server process of this database waits for an event of this name or type.
  func waitForBackend(waitingFor event: String) async throws {
    while try await backends(waitingFor: event) == 0 { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Expects the first column of the only row to be this number.
  func expect(_ sql: String, gives expected: Int64, _ location: SourceLocation = #_sourceLocation) async throws {
    let number = try await number(sql)
    #expect(number == expected, sourceLocation: location)
  }
}

/// Holds statements back on the server until it is opened.
struct Gate: Sendable {
  private let holder: PostgresConnection

  /// One that ends, with one row, once the gate is open.
  let statement = Statement("SELECT pg_advisory_xact_lock(7)")

  fileprivate init(_ holder: PostgresConnection) async throws {
    self.holder = holder
    _ = try await holder.query(Statement("SELECT pg_advisory_lock(7)"))
  }

  /// Lets everything pass, from now on.
  func open() async throws {
    _ = try await holder.query(Statement("SELECT pg_advisory_unlock_all()"))
  }
}

extension PostgresPool {
  /// Lends a gate of this pool's database; it is open again at the end.
  func withGate<Value: Sendable>(_ body: (Gate) async throws -> Value) async throws -> Value {
    try await withConnection { connection in
      let gate = try await Gate(connection)
      do {
        let value = try await body(gate)
        try await gate.open()
        return value
      } catch {
        try await gate.open()
        throw error
      }
    }
  }
}

extension PostgresConnection {
  /// The first column of the only row, as a number.
  func number(_ sql: String, _ parameters: [Parameter] = []) async throws -> Int64 {
    try await query(Statement(sql), parameters).rows[0].int64(0)
  }

  /// Expects the first column of the only row to be this number.
  func expect(_ sql: String, gives expected: Int64, _ location: SourceLocation = #_sourceLocation) async throws {
    let number = try await number(sql)
    #expect(number == expected, sourceLocation: location)
  }
}

/// The error that `body` ends with.
nonisolated(nonsending) func postgresError(
  _ body: nonisolated(nonsending) () async throws -> Void
) async throws -> PostgresError? {
  do {
    try await body()
    return nil
  } catch let error as PostgresError {
    return error
  }
}
