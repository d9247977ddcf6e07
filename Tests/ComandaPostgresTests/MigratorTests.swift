import ComandaPostgres
import ComandaTestDatabase
import Logging
import Testing

@Suite("Migrations")
struct MigratorTests {
  private static let first = Migration(
    name: "m0001_things", sql: "CREATE TABLE thing (id int8); INSERT INTO thing VALUES (1);")
  private static let second = Migration(name: "m0002_note", sql: "ALTER TABLE thing ADD COLUMN note text")

  private func migrate(_ pool: PostgresPool, _ migrations: [Migration]) async throws -> [String] {
    try await Migrator(migrations, logger: Logger(label: "test")).migrate(pool)
  }

  @Test("each is applied once, in order")
  func idempotent() async throws {
    try await withPool { pool in
      let one = try await migrate(pool, [Self.first])
      #expect(one == ["m0001_things"])
      let two = try await migrate(pool, [Self.first, Self.second])
      #expect(two == ["m0002_note"])
      let third = try await migrate(pool, [Self.first, Self.second])
      #expect(third == [])
      try await pool.expect("SELECT count(*) FROM thing WHERE note IS NULL", gives: 1)
    }
  }

  @Test("many servers that start at once apply each once")
  func race() async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    let slow = Migration(name: "m0003_slow", sql: "SELECT pg_sleep(0.2); CREATE TABLE slow (id int8)")
    let applied = try await withThrowingTaskGroup(of: [String].self) { group in
      for _ in 0..<6 {
        group.addTask { try await withPool(url: url) { try await migrate($0, [Self.first, Self.second, slow]) } }
      }
      var applied: [String] = []
      for try await names in group { applied += names }
      return applied
    }
    #expect(applied == ["m0001_things", "m0002_note", "m0003_slow"])
  }

  @Test("one that fails leaves nothing of itself, keeps those before it, and is tried again")
  func failure() async throws {
    try await withPool { pool in
      let broken = Migration(name: "m0002_note", sql: "CREATE TABLE half (id int8); SELECT 1/0")
      let error = try await postgresError { _ = try await migrate(pool, [Self.first, broken]) }
      #expect(error?.sqlState?.code == "22012")
      #expect(error?.description.contains("m0002_note") == true)
      try await pool.expect("SELECT count(*) FROM pg_class WHERE relname = 'half'", gives: 0)
      let applied = try await migrate(pool, [Self.first, Self.second])
      #expect(applied == ["m0002_note"])
    }
  }

  @Test("a changed text, an unknown name, a late arrival and a double name are refused by name")
  func refusals() async throws {
    try await withPool { pool in
      _ = try await migrate(pool, [Self.first, Self.second])
      let changed = Migration(name: Self.first.name, sql: Self.first.sql + " ")
      let early = Migration(name: "m0000_early", sql: "SELECT 1")
      let cases: [([Migration], String)] = [
        ([changed, Self.second], "m0001_things"), ([Self.first], "m0002_note"),
        ([early, Self.first, Self.second], "m0000_early"), ([Self.first, Self.first], "same name"),
      ]
      for (migrations, mentioned) in cases {
        let error = try await postgresError { _ = try await migrate(pool, migrations) }
        #expect(error?.kind == .migration)
        #expect(error?.description.contains(mentioned) == true)
      }
    }
  }

  @Test("a cancelled wait for the lock leaves nobody locked out", .timeLimit(.minutes(10)))
  func cancelled() async throws {
    try await withPool { pool in
      let slow = Migration(name: "m0001_slow", sql: "SELECT pg_sleep(60)")
      let migrating = Task { try await migrate(pool, [slow]) }
      try await pool.waitForBackend(waitingFor: "PgSleep")
      migrating.cancel()
      await #expect(throws: CancellationError.self) { try await migrating.value }
      let applied = try await migrate(pool, [Self.first])
      #expect(applied == ["m0001_things"])
    }
  }
}
