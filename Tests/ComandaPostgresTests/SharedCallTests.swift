import ComandaPostgres
import ComandaTestDatabase
import Testing

@Suite("Calls on shared connections")
struct SharedCallTests {
  @Test("a thousand concurrent calls on one connection each get their own answer")
  func pipelining() async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      let echo = Statement("SELECT $1::int8")
      let echoRead = Statement("SELECT $1::int8, 'read'", readOnly: true)
      try await withThrowingTaskGroup(of: (Int64, Int64).self) { group in
        for number in Int64(0)..<1_000 {
          group.addTask {
            let statement = number.isMultiple(of: 2) ? echo : echoRead
            return (number, try await pool.query(statement, [.int8(number)]).rows[0].int64(0))
          }
        }
        var count = 0
        for try await (asked, answered) in group {
          #expect(asked == answered)
          count += 1
        }
        #expect(count == 1_000)
      }
      // One of them asked: all reads went through one server process, and all else through another.
      try await pool.expect("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()", gives: 2)
    }
  }

  @Test("an error in one call does not touch its neighbours", arguments: [false, true])
  func isolation(readOnly: Bool) async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      let divide = Statement("SELECT 100 / $1::int8", name: "divide", readOnly: readOnly)
      // The group's statement is prepared, and 0 fails while it runs.
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in Int64(0)..<200 {
          group.addTask {
            do {
              let result = try await pool.query(divide, [.int8(number % 10)])
              #expect(number % 10 != 0)
              #expect(try result.rows[0].int64(0) == 100 / (number % 10))
            } catch let error as PostgresError {
              #expect(number % 10 == 0)
              #expect(error.kind == .server)
              #expect(error.sqlState?.code == "22012")
              #expect(error.statementName == "divide")
            }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("a statement that cannot be prepared fails every call that relied on it, with the true reason")
  func failedPreparation() async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<50 {
          group.addTask {
            let error = try await postgresError { _ = try await pool.query(Statement("SELECT * FROM nowhere")) }
            #expect(error?.sqlState == .undefinedTable)
            #expect(error?.position == 15)
          }
          group.addTask {
            let one = try await pool.number("SELECT 1")
            #expect(one == 1)
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test("a prepared statement that the server forgot is prepared again without the caller noticing")
  func forgottenPreparation() async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      try await pool.expect("SELECT 1", gives: 1)
      _ = try await pool.query(Statement("DEALLOCATE ALL"))
      try await pool.expect("SELECT 1", gives: 1)
      _ = try await pool.query(Statement("DEALLOCATE ALL"))
      #expect(try await pool.transaction([(Statement("SELECT 1"), [])]).count == 1)
    }
  }

  @Test("a statement whose result changed its type with the schema is prepared again")
  func changedSchema() async throws {
    try await withPool { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (a int4)"))
      _ = try await pool.query(Statement("INSERT INTO thing VALUES (7)"))
      for _ in 0..<4 { #expect(try await pool.number("SELECT * FROM thing") == 7) }
      _ = try await pool.query(Statement("ALTER TABLE thing ALTER COLUMN a TYPE int8"))
      for _ in 0..<4 { #expect(try await pool.number("SELECT * FROM thing") == 7) }
    }
  }

  @Test("parameters of one statement may change between NULL and values, and change their type")
  func parameterTypes() async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (id int8, amount int4, note text)"))
      let insert = Statement("INSERT INTO thing VALUES ($1, $2, $3)")
      _ = try await pool.query(insert, [.null, .null, .null])
      _ = try await pool.query(insert, [.int8(1), .null, .text("a")])
      _ = try await pool.query(insert, [.int8(2), .int8(20), .null])
      _ = try await pool.query(insert, [.int4(3), .int4(30), .text("c")])
      _ = try await pool.query(insert, [.int8(4), .int2(40), .text("")])
      try await pool.expect("SELECT sum(id) FROM thing", gives: 10)
      try await pool.expect("SELECT sum(amount) FROM thing", gives: 90)
      try await pool.expect("SELECT count(*) FROM thing WHERE note = ''", gives: 1)
    }
  }

  @Test("a statement that runs too long is stopped, and says so")
  func statementTimeout() async throws {
    try await withPool({ $0.setPipelined { $0.statementTimeout = .milliseconds(50) } }) { pool in
      let error = try await postgresError { _ = try await pool.query(Statement("SELECT pg_sleep(30)", name: "nap")) }
      #expect(error?.kind == .statementTimeout)
      #expect(error?.sqlState == .queryCanceled)
      #expect(error?.description.contains("nap") == true)
    }
  }

  @Test("a cancelled call returns while its statement still runs, and the connection goes on", .timeLimit(.minutes(10)))
  func cancellation() async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    try await withPool(
      url: url,
      {
        $0.setPipelined { $0.connections = 1 }
        $0.setPipelined { $0.statementTimeout = .seconds(60) }
      }
    ) { pool in
      try await withPool(url: url) { observer in
        try await observer.withGate { gate in
          let waiting = Task { try await pool.query(gate.statement) }
          try await observer.waitForBackend(waitingFor: "advisory")
          waiting.cancel()
          await #expect(throws: CancellationError.self) { try await waiting.value }
          let still = try await observer.backends(waitingFor: "advisory")
          #expect(still == 1)
          try await gate.open()
          try await pool.expect("SELECT 2", gives: 2)
        }
      }
    }
  }

  @Test("a transaction begun on a shared connection is refused, and swallows nobody else's work")
  func strayTransaction() async throws {
    try await withPool({ $0.setPipelined { $0.connections = 1 } }) { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (id int8)"))
      for begin in ["BEGIN", "START TRANSACTION"] {
        let error = try await postgresError { _ = try await pool.query(Statement(begin)) }
        #expect(error?.kind == .misuse)
        _ = try await pool.query(Statement("INSERT INTO thing VALUES (1)"))
      }
      try await pool.expect("SELECT count(*) FROM thing", gives: 2)
      try await pool.withConnection { try await $0.expect("SELECT count(*) FROM thing", gives: 2) }
    }
  }

  @Test("no error description repeats SQL, values or the server's words")
  func descriptions() async throws {
    try await withPool { pool in
      let insert = Statement("SELECT $1::text::int8, 'a secret literal'", name: "cast")
      let error = try await postgresError { _ = try await pool.query(insert, [.text("Taro Yamada")]) }
      let description = try #require(error?.description)
      #expect(!description.contains("Yamada") && !description.contains("secret") && !description.contains("SELECT"))
      #expect(description.contains("22P02") && description.contains("cast"))
      #expect(error?.detailForLog?.contains("Yamada") == true)
    }
  }

  @Test("callers beyond the bound are refused, the others are served in turn", .timeLimit(.minutes(10)))
  func boundedQueue() async throws {
    try await withPool({
      $0.setPipelined { $0.connections = 1 }
      $0.setPipelined { $0.inFlightPerConnection = 2 }
      $0.setPipelined { $0.waiters = 3 }
      $0.acquireTimeout = .seconds(60)
      $0.setPipelined { $0.statementTimeout = .seconds(60) }
    }) { pool in
      try await pool.connect()
      let outcomes = try await pool.withGate { gate in
        try await withThrowingTaskGroup(of: PostgresError.Kind?.self) { group in
          for _ in 0..<20 {
            group.addTask {
              do {
                _ = try await pool.query(gate.statement)
                return nil
              } catch let error as PostgresError {
                return error.kind
              }
            }
          }
          var outcomes: [PostgresError.Kind?] = []
          for try await outcome in group {
            outcomes.append(outcome)
            // All have asked by now.
            if outcomes.count == 15 { try await gate.open() }
          }
          return outcomes
        }
      }
      #expect(outcomes.prefix(15).allSatisfy { $0 == .poolExhausted })
      #expect(outcomes.suffix(5).allSatisfy { $0 == nil })
    }
  }

  @Test("a database that is not there fails fast with what is wrong")
  func missingDatabase() async throws {
    let url = try await TestDatabase.shared.makeDatabase().replacing("/test_", with: "/missing_")
    try await withPool(url: url, { $0.acquireTimeout = .seconds(600) }) { pool in
      let start = ContinuousClock.now
      let error = try await postgresError { _ = try await pool.query(Statement("SELECT 1")) }
      #expect(error?.kind == .unavailable)
      #expect(error?.sqlState == .invalidCatalogName)
      #expect(ContinuousClock.now - start < .seconds(120))
    }
  }

  @Test("after a shutdown calls are refused")
  func closed() async throws {
    let pool = try await withPool { pool in
      try await pool.connect()
      return pool
    }
    let error = try await postgresError { _ = try await pool.query(Statement("SELECT 1")) }
    #expect(error?.kind == .closed)
  }

  @Test("run ends when its task is cancelled, after the calls under way", .timeLimit(.minutes(10)))
  func run() async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    try await withPool(
      url: url,
      {
        $0.shutdownGrace = .seconds(60)
        $0.setPipelined { $0.statementTimeout = .seconds(60) }
      }
    ) { pool in
      try await withPool(url: url) { observer in
        try await observer.withGate { gate in
          let run = Task { await pool.run() }
          let last = Task { try await pool.query(gate.statement).rows.count }
          try await observer.waitForBackend(waitingFor: "advisory")
          run.cancel()
          // Whatever comes from now on is refused; what was under way is not given up.
          while try await postgresError({ try await pool.withConnection { _ in } })?.kind != .closed {}
          try await gate.open()
          await run.value
          #expect(try await last.value == 1)
        }
      }
    }
  }
}
