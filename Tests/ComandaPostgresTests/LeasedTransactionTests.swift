import ComandaPostgres
import ComandaTestDatabase
import Testing

@Suite("Transactions on a leased connection")
struct LeasedTransactionTests {
  private static let insert = Statement("INSERT INTO thing VALUES ($1)", name: "insert")
  private static let count = Statement("SELECT count(*) FROM thing", name: "count")

  private nonisolated(nonsending) func withThings(
    _ body: nonisolated(nonsending) (PostgresPool, PostgresConnection) async throws -> Void
  ) async throws {
    try await withPool { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (id int8 PRIMARY KEY)"))
      try await pool.withConnection { try await body(pool, $0) }
    }
  }

  @Test("what was committed with the last statements is there for everybody when the call returns")
  func commitsWithLast() async throws {
    try await withThings { pool, connection in
      try await connection.transaction { connection in
        _ = try await connection.query(Self.insert, [.int8(1)])
        try await pool.expect("SELECT count(*) FROM thing", gives: 0)
        let results = try await connection.commit(with: [(Self.insert, [.int8(2)]), (Self.count, [])])
        #expect(results.count == 2)
        #expect(try results[1].rows[0].int64(0) == 2)
        try await pool.expect("SELECT count(*) FROM thing", gives: 2)
      }
      _ = try await connection.transaction { try await $0.commit(with: [(Self.insert, [.int8(3)])]) }
      try await pool.expect("SELECT count(*) FROM thing", gives: 3)
      try await connection.transaction { _ = try await $0.query(Self.insert, [.int8(4)]) }
      try await pool.expect("SELECT count(*) FROM thing", gives: 4)
    }
  }

  @Test("an error among the last statements undoes all of it and says which one, and the connection goes on")
  func undoes() async throws {
    try await withThings { pool, connection in
      for opening in [false, true] {
        let error = try await postgresError {
          try await connection.transaction { connection in
            if opening { _ = try await connection.query(Self.insert, [.int8(9)]) }
            _ = try await connection.commit(with: [(Self.insert, [.int8(1)]), (Self.insert, [.int8(1)])])
          }
        }
        #expect(error?.sqlState == .uniqueViolation)
        #expect(error?.statementIndex == 1)
        try await connection.expect("SELECT count(*) FROM thing", gives: 0)
      }
      _ = try await connection.query(
        Statement("CREATE TABLE part (id int8 REFERENCES thing DEFERRABLE INITIALLY DEFERRED)"))
      let error = try await postgresError {
        try await connection.transaction { connection in
          _ = try await connection.commit(with: [(Statement("INSERT INTO part VALUES (5)"), [])])
        }
      }
      #expect(error?.sqlState == .foreignKeyViolation)
      try await connection.expect("SELECT count(*) FROM part", gives: 0)
    }
  }

  @Test("a transaction whose body swallowed an error does not pass for committed")
  func swallowedError() async throws {
    try await withThings { pool, connection in
      for commitsWithLast in [false, true] {
        let error = try await postgresError {
          try await connection.transaction { connection in
            _ = try await connection.query(Self.insert, [.int8(1)])
            _ = try? await connection.query(Self.insert, [.int8(1)])
            if commitsWithLast { _ = try await connection.commit() }
          }
        }
        #expect(error?.sqlState == .inFailedTransaction)
        try await connection.expect("SELECT count(*) FROM thing", gives: 0)
      }
    }
  }

  @Test("what cannot share a round trip is part of the transaction too")
  func alone() async throws {
    try await withThings { pool, connection in
      struct Abandoned: Error {}
      let bodies: [@Sendable (PostgresConnection) async throws -> Void] = [
        { try await $0.execute(script: "INSERT INTO thing VALUES (1); INSERT INTO thing VALUES (2)") },
        { connection in
          _ = try await connection.copyIn("COPY thing FROM STDIN") { try await $0.write(Array("1\n2\n".utf8)) }
        },
        { connection in
          for try await row in connection.stream(Statement("INSERT INTO thing VALUES (1), (2) RETURNING id")) {
            _ = try row.int64(0)
          }
        },
      ]
      for body in bodies {
        await #expect(throws: Abandoned.self) {
          try await connection.transaction { connection in
            try await body(connection)
            try await connection.expect("SELECT count(*) FROM thing", gives: 2)
            throw Abandoned()
          }
        }
        try await connection.expect("SELECT count(*) FROM thing", gives: 0)
        try await connection.transaction { connection in
          try await body(connection)
          _ = try await connection.commit(with: [(Statement("DELETE FROM thing"), [])])
        }
      }
    }
  }

  @Test("what does not fit a transaction is refused, and nothing of it happens")
  func misuse() async throws {
    try await withThings { pool, connection in
      let outside = try await postgresError { _ = try await connection.commit() }
      #expect(outside?.kind == .misuse)
      let afterCommit = try await postgresError {
        try await connection.transaction { connection in
          _ = try await connection.commit(with: [(Self.insert, [.int8(1)])])
          _ = try await connection.query(Self.insert, [.int8(2)])
        }
      }
      #expect(afterCommit?.kind == .misuse)
      let nested = try await postgresError {
        try await connection.transaction { connection in
          try await connection.transaction { _ = try await $0.query(Self.insert, [.int8(3)]) }
        }
      }
      #expect(nested?.kind == .misuse)
      try await connection.expect("SELECT max(id) FROM thing", gives: 1)
    }
  }

  @Test("a transaction that is kept idle is ended by the server: nothing of it stays, and another connection comes")
  func idle() async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    try await withPool(url: url) { observer in
      _ = try await observer.query(Statement("CREATE TABLE thing (id int8 PRIMARY KEY)"))
      try await withPool(
        url: url,
        {
          $0.interactive.connections = 1
          $0.idleInTransactionTimeout = .milliseconds(20)
        }
      ) { pool in
        for commits in [false, true] {
          let error = try await postgresError {
            try await pool.withConnection { connection in
              try await connection.transaction { connection in
                let pid = try await connection.number("SELECT pg_backend_pid()")
                _ = try await connection.query(Self.insert, [.int8(1)])
                while try await observer.number(
                  "SELECT count(*) FROM pg_stat_activity WHERE pid = $1", [.int8(pid)]) > 0
                {}
                _ =
                  commits
                  ? try await connection.commit(with: [(Self.insert, [.int8(2)])])
                  : try await connection.pipeline([(Self.insert, [.int8(2)])])
              }
            }
          }
          #expect(error?.kind == .connectionLostNotStarted)
          #expect(error?.sqlState == nil || error?.sqlState == .idleInTransactionSessionTimeout)
          #expect(error?.isRetryable == true)
          try await pool.withConnection { try await $0.expect("SELECT count(*) FROM thing", gives: 0) }
        }
      }
    }
  }
}
