public import Logging

/// One step of a schema's history. Once released, its text never changes.
public struct Migration: Sendable, Hashable {
  /// A unique name that sorts where the migration belongs, such as `m0001_orders`.
  public let name: String
  /// SQL of one or more statements, without BEGIN, COMMIT or what cannot run inside of a transaction.
  public let sql: String

  /// Makes a migration out of its name and text.
  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }
}

/// Brings a database's schema up to date.
///
/// The table `comanda_migrations` remembers each applied migration's name and SHA-256. An advisory lock lets one server
/// at a time migrate, so several may start at once; those that come second find nothing left to do. Lock and settings
/// end with the session, which nobody else gets. Each migration is
/// one transaction together with its entry in the table: after a failure the ones before it stay, and the next start
/// goes on with it.
public struct Migrator: Sendable {
  private let migrations: [Migration]
  private let logger: Logger

  /// The key of the advisory lock: "comanda" in ASCII.
  private static let lockKey: Int64 = 0x63_6f_6d_61_6e_64_61

  /// - Parameter migrations: all there are, in the order in which they are to be applied.
  public init(_ migrations: [Migration], logger: Logger) {
    self.migrations = migrations
    self.logger = logger
  }

  /// Applies what has not been applied yet.
  ///
  /// - Returns: the names of the migrations that this call has applied.
  /// - Throws: ``PostgresError``: of kind `migration` when an applied migration has another text by now, is not among
  ///   these, or comes after one that is not applied; the server's own error when a migration fails.
  public func migrate(_ pool: PostgresPool) async throws -> [String] {
    guard Set(migrations.map(\.name)).count == migrations.count else {
      throw PostgresError(.migration, "two migrations have the same name")
    }
    return try await pool.withConnection { connection in
      connection.closeWhenGivenBack()
      // Migrations may take long, and so may the wait for another server's.
      _ = try await connection.query(.setNoTimeout)
      _ = try await connection.query(.lock, [.int8(Self.lockKey)])
      return try await migrate(connection)
    }
  }

  private func migrate(_ connection: PostgresConnection) async throws -> [String] {
    _ = try await connection.query(.createTable)
    let pending = try await pending(connection)
    for migration in pending {
      do {
        try await connection.transaction { connection in
          try await connection.execute(script: migration.sql)
          _ = try await connection.query(.record, [.text(migration.name), .text(migration.sql)])
        }
      } catch var error as PostgresError {
        error.message = "migration \(migration.name) failed: \(error.message)"
        throw error
      }
      logger.info("migration applied", metadata: ["name": "\(migration.name)"])
    }
    return pending.map(\.name)
  }

  /// Compares what is applied with what is there. The server computes the checksums, so both sides are made alike.
  private func pending(_ connection: PostgresConnection) async throws -> [Migration] {
    let result = try await connection.query(
      .compare, [.textArray(migrations.map(\.name)), .textArray(migrations.map(\.sql))])
    var isApplied: [String: Bool] = [:]
    for row in result.rows {
      let name = try row.text(0)
      guard try row.bool(1) else {
        throw PostgresError(
          .migration, "migration \(name) is applied to this database and unknown here: this program is older than it")
      }
      guard try row.boolOrNil(2) ?? true else {
        throw PostgresError(
          .migration, "migration \(name) was applied with another text than it has here: what is released never changes"
        )
      }
      isApplied[name] = try row.boolOrNil(2) != nil
    }
    let firstPending = migrations.firstIndex { isApplied[$0.name] != true } ?? migrations.endIndex
    if let late = migrations[firstPending...].first(where: { isApplied[$0.name] == true }) {
      throw PostgresError(
        .migration,
        "migration \(migrations[firstPending].name) is not applied, and \(late.name) after it is: new ones come last")
    }
    return Array(migrations[firstPending...])
  }
}

extension Statement {
  fileprivate static let setNoTimeout = Statement("SET statement_timeout = 0", name: "migrator.set_no_timeout")
  fileprivate static let lock = Statement("SELECT pg_advisory_lock($1)", name: "migrator.lock")
  fileprivate static let createTable = Statement(
    """
    CREATE TABLE IF NOT EXISTS comanda_migrations (
      name text PRIMARY KEY,
      sha256 bytea NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )
    """, name: "migrator.create_table")
  fileprivate static let compare = Statement(
    """
    SELECT coalesce(known.name, applied.name), known.name IS NOT NULL,
      applied.sha256 = sha256(convert_to(known.sql, 'UTF8'))
    FROM unnest($1, $2) AS known(name, sql)
    FULL JOIN comanda_migrations AS applied ON applied.name = known.name
    """, name: "migrator.compare")
  fileprivate static let record = Statement(
    "INSERT INTO comanda_migrations (name, sha256) VALUES ($1, sha256(convert_to($2, 'UTF8')))",
    name: "migrator.record")
}
