import ComandaPostgres
import Testing

@Suite("Leased connections")
struct LeaseTests {
  @Test("a pipeline gives all results in order, and skips what comes after an error")
  func pipeline() async throws {
    try await withPool { pool in
      try await pool.withConnection { connection in
        let results = try await connection.pipeline((0..<100).map { (Statement("SELECT $1::int8"), [.int8($0)]) })
        #expect(try results.map { try $0.rows[0].int64(0) } == Array(0..<100))

        let error = try await postgresError {
          _ = try await connection.pipeline([
            (Statement("CREATE TABLE first (id int8)"), []), (Statement("SELECT 1/0", name: "bad"), []),
            (Statement("CREATE TABLE third (id int8)"), []),
          ])
        }
        #expect(error?.statementIndex == 1)
        #expect(error?.statementName == "bad")
        let third = try await connection.query(Statement("SELECT to_regclass('third')::text"))
        #expect(third.rows[0].isNull(0))
        #expect(try await connection.pipeline([]).isEmpty)
      }
    }
  }

  @Test("a transaction commits what its body did")
  func commits() async throws {
    try await withPool { pool in
      let answer = try await pool.withConnection { connection in
        try await connection.transaction { connection in
          _ = try await connection.query(Statement("CREATE TABLE thing (id int8)"))
          return try await connection.query(Statement("INSERT INTO thing VALUES (1), (2)")).affectedRows
        }
      }
      #expect(answer == 2)
      try await pool.expect("SELECT count(*) FROM thing", gives: 2)
    }
  }

  private struct Refusal: Error {}

  @Test("a body that throws rolls back, and the connection is used again")
  func rollsBack() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      let pid = try await pool.withConnection { try await $0.number("SELECT pg_backend_pid()") }
      await #expect(throws: Refusal.self) {
        try await pool.withConnection { connection in
          try await connection.transaction { connection in
            _ = try await connection.query(Statement("CREATE TABLE thing (id int8)"))
            throw Refusal()
          }
        }
      }
      try await pool.expect("SELECT count(*) FROM pg_class WHERE relname = 'thing'", gives: 0)
      try await pool.withConnection { try await $0.expect("SELECT pg_backend_pid()", gives: pid) }
    }
  }

  @Test("a body that swallows an error does not make its transaction look committed")
  func swallowedError() async throws {
    try await withPool { pool in
      let error = try await postgresError {
        try await pool.withConnection { connection in
          try await connection.transaction { connection in
            _ = try? await connection.query(Statement("SELECT 1/0"))
          }
        }
      }
      #expect(error?.sqlState == .inFailedTransaction)
    }
  }

  @Test("a connection that is given back in a transaction is closed, and its transaction undone")
  func leftInTransaction() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      let pid = try await pool.withConnection { connection in
        _ = try await connection.query(Statement("BEGIN"))
        _ = try await connection.query(Statement("CREATE TABLE thing (id int8)"))
        return try await connection.number("SELECT pg_backend_pid()")
      }
      #expect(try await pool.withConnection { try await $0.number("SELECT pg_backend_pid()") } != pid)
      try await pool.expect("SELECT count(*) FROM pg_class WHERE relname = 'thing'", gives: 0)
    }
  }

  @Test("a session that asked for it ends with its lease")
  func closedWhenGivenBack() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      try await pool.withConnection { connection in
        connection.closeWhenGivenBack()
        _ = try await connection.query(Statement("SET application_name = 'changed'"))
      }
      let name = try await pool.withConnection { connection in
        try await connection.query(Statement("SHOW application_name")).rows[0].text(0)
      }
      #expect(name == "comanda")
    }
  }

  @Test("a connection that escaped its lease is of no use")
  func escaped() async throws {
    try await withPool { pool in
      let escaped = try await pool.withConnection { $0 }
      let error = try await postgresError { _ = try await escaped.query(Statement("SELECT 1")) }
      #expect(error?.kind == .closed)
    }
  }

  @Test("callers wait for a connection, and more than may wait are refused", .timeLimit(.minutes(10)))
  func boundedWaiting() async throws {
    try await withPool({
      $0.interactive.connections = 1
      $0.interactive.waiters = 2
      $0.acquireTimeout = .seconds(60)
    }) { pool in
      let kinds = try await withThrowingTaskGroup(of: PostgresError.Kind?.self) { group in
        var kinds: [PostgresError.Kind?] = []
        try await pool.withConnection { _ in
          for _ in 0..<5 {
            group.addTask {
              try await postgresError { try await pool.withConnection { _ in } }?.kind
            }
          }
          // All have asked once three are refused.
          while kinds.count < 3, let kind = try await group.next() { kinds.append(kind) }
        }
        return try await group.reduce(into: kinds) { $0.append($1) }
      }
      #expect(kinds.prefix(3).allSatisfy { $0 == .poolExhausted })
      #expect(kinds.suffix(2).allSatisfy { $0 == nil })
    }
  }

  @Test("a caller waits for a connection so long, and no longer")
  func timedWaiting() async throws {
    try await withPool({
      $0.interactive.connections = 1
      $0.acquireTimeout = .seconds(3)
    }) { pool in
      try await pool.withConnection { _ in
        let error = try await postgresError { try await pool.withConnection { _ in } }
        #expect(error?.kind == .unavailable)
      }
      try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
    }
  }

  @Test("who waits for a connection can be cancelled, and does not take it")
  func cancelledWaiting() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      try await pool.withConnection { _ in
        let waiting = Task { try await pool.withConnection { _ in } }
        try await Task.sleep(for: .milliseconds(20))
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
      }
      try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
    }
  }

  @Test("cancellations at any moment lose no connection", .timeLimit(.minutes(10)))
  func cancelledAnywhere() async throws {
    try await withPool({ $0.interactive.connections = 2 }) { pool in
      for round in 0..<200 {
        let task = Task {
          try await pool.withConnection { connection in
            for _ in 0..<3 { _ = try await connection.query(Statement("SELECT 1")) }
          }
        }
        if round.isMultiple(of: 3) { await Task.yield() }
        if round.isMultiple(of: 5) { try await Task.sleep(for: .microseconds(round * 5)) }
        task.cancel()
        do { try await task.value } catch is CancellationError {}
      }
      // Both connections are to be had, at the same time.
      try await pool.withConnection { first in
        try await pool.withConnection { second in
          try await first.expect("SELECT 5", gives: 5)
          try await second.expect("SELECT 6", gives: 6)
        }
      }
    }
  }

  @Test("cancelling the task stops the statement on the server, and nothing else", .timeLimit(.minutes(10)))
  func cancellation() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      for _ in 0..<10 {
        let nap = Task {
          try await pool.withConnection { connection in
            // In a transaction, whose ROLLBACK follows hard on the heels of the cancel request and must survive it.
            try await connection.transaction { connection in
              _ = try await connection.query(Statement("SELECT pg_sleep(60)"))
            }
          }
        }
        try await pool.waitForBackend(waitingFor: "PgSleep")
        nap.cancel()
        await #expect(throws: CancellationError.self) { try await nap.value }
        try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
      }
    }
  }

  @Test("scripts run several statements, and say where they fail")
  func script() async throws {
    try await withPool { pool in
      try await pool.withConnection { connection in
        try await connection.execute(script: "CREATE TABLE a (id int8); INSERT INTO a VALUES (1); SELECT * FROM a;")
        try await connection.expect("SELECT count(*) FROM a", gives: 1)
        let error = try await postgresError { try await connection.execute(script: "SELECT 1; SELECT nonsense;") }
        #expect(error?.sqlState?.code == "42703")
        let copy = try await postgresError { try await connection.execute(script: "COPY a FROM STDIN") }
        #expect(copy?.kind == .misuse)
        try await connection.expect("SELECT count(*) FROM a", gives: 1)
      }
    }
  }
}
