import ComandaPostgres
import Testing

@Suite("Transactions in one round trip")
struct TransactionTests {
  private static let insert = Statement("INSERT INTO thing VALUES ($1)", name: "insert")

  private nonisolated(nonsending) func withThings(
    _ body: nonisolated(nonsending) (PostgresPool) async throws -> Void
  ) async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (id int8 PRIMARY KEY)"))
      try await body(pool)
    }
  }

  @Test("all results come back in order, and all effects stay")
  func commits() async throws {
    try await withThings { pool in
      let results = try await pool.transaction([
        (Self.insert, [.int8(1)]), (Self.insert, [.int8(2)]),
        (Statement("SELECT id FROM thing ORDER BY id"), []),
        (Statement("SELECT pg_current_xact_id_if_assigned() IS NOT NULL"), []),
      ])
      #expect(results.count == 4)
      #expect(results[0].affectedRows == 1)
      #expect(try results[2].rows.map { try $0.int64(0) } == [1, 2])
      #expect(try results[3].rows[0].bool(0))
      try await pool.expect("SELECT count(*) FROM thing", gives: 2)
    }
  }

  @Test("an error undoes all of it, says which statement, and leaves the connection clean for its neighbours")
  func rollsBack() async throws {
    try await withThings { pool in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in Int64(0)..<100 {
          group.addTask {
            let error = try await postgresError {
              _ = try await pool.transaction([
                (Self.insert, [.int8(number)]), (Self.insert, [.int8(number)]), (Self.insert, [.int8(-1)]),
              ])
            }
            #expect(error?.sqlState == .uniqueViolation)
            #expect(error?.statementIndex == 1)
            #expect(error?.statementName == "insert")
          }
          group.addTask { _ = try await pool.query(Self.insert, [.int8(1_000 + number)]) }
          group.addTask {
            _ = try await pool.transaction([
              (Self.insert, [.int8(2_000 + number)]), (Self.insert, [.int8(3_000 + number)]),
            ])
          }
        }
        try await group.waitForAll()
      }
      try await pool.expect("SELECT count(*) FROM thing", gives: 300)
      try await pool.expect("SELECT count(*) FROM thing WHERE id < 1000", gives: 0)
    }
  }

  @Test("an error at COMMIT is the transaction's error")
  func deferredConstraint() async throws {
    try await withThings { pool in
      _ = try await pool.query(
        Statement("CREATE TABLE part (id int8 REFERENCES thing DEFERRABLE INITIALLY DEFERRED)"))
      let error = try await postgresError {
        _ = try await pool.transaction([(Statement("INSERT INTO part VALUES (5)"), [])])
      }
      #expect(error?.sqlState == .foreignKeyViolation)
      try await pool.expect("SELECT count(*) FROM part", gives: 0)
      #expect(try await pool.transaction([(Self.insert, [.int8(1)])]).count == 1)
    }
  }

  @Test("a parameter that cannot be sent is refused before anything is")
  func refusedParameter() async throws {
    try await withThings { pool in
      let error = try await postgresError {
        _ = try await pool.transaction([
          (Self.insert, [.int8(1)]),
          (Statement("SELECT $1", name: "time"), [.timestamp(microsecondsSinceUnixEpoch: .min)]),
        ])
      }
      #expect(error?.kind == .invalidParameter)
      #expect(error?.statementIndex == 1)
      #expect(error?.description.contains("$1") == true)
      try await pool.expect("SELECT count(*) FROM thing", gives: 0)
    }
  }
}
