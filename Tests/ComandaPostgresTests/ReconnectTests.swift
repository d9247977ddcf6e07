import ComandaPostgres
import ComandaTestDatabase
import Testing

@Suite("Broken connections")
struct ReconnectTests {
  @Test("calls under way learn that their connection broke, and the next one works", .timeLimit(.minutes(10)))
  func terminatedBackend() async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    try await withPool(
      url: url,
      {
        $0.setPipelined { $0.connections = 1 }
        // Nothing here takes that long: what is busy beside the test must not be what ends the calls.
        $0.setPipelined { $0.statementTimeout = .seconds(500) }
      }
    ) { pool in
      try await withPool(url: url) { other in
        let pid = try await pool.number("SELECT pg_backend_pid()")
        let calls = (0..<20).map { number in
          Task { try await pool.number("SELECT \(number) FROM pg_sleep(500)") }
        }
        try await other.waitForBackend(waitingFor: "PgSleep")
        _ = try await other.query(Statement("SELECT pg_terminate_backend($1)"), [.int4(Int32(pid))])
        var kinds: [PostgresError.Kind] = []
        for call in calls {
          let error = try await postgresError { _ = try await call.value }
          kinds += error.map { [$0.kind] } ?? []
        }
        // The server says about the first that it was stopped; of the others nothing is known.
        #expect(kinds.count == 20)
        #expect(kinds.allSatisfy { $0 == .server || $0 == .connectionLostOutcomeUnknown })
        #expect(kinds.count { $0 == .server } == 1)
        try await pool.expect("SELECT 5", gives: 5)
      }
    }
  }

  @Test("an idle leased connection that broke is replaced before anybody gets it", .timeLimit(.minutes(10)))
  func idleLease() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      let pid = try await pool.withConnection { try await $0.number("SELECT pg_backend_pid()") }
      _ = try await pool.query(Statement("SELECT pg_terminate_backend($1)"), [.int4(Int32(pid))])
      while try await pool.number("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", [.int4(Int32(pid))]) > 0 {}
      try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
    }
  }

  @Test("a lease whose connection breaks says so, and does not take the pool with it", .timeLimit(.minutes(10)))
  func brokenLease() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      try await pool.withConnection { connection in
        let pid = try await connection.number("SELECT pg_backend_pid()")
        let nap = Task { try await connection.query(Statement("SELECT pg_sleep(60)")) }
        try await pool.waitForBackend(waitingFor: "PgSleep")
        _ = try await pool.query(Statement("SELECT pg_terminate_backend($1)"), [.int4(Int32(pid))])
        let error = try await postgresError { _ = try await nap.value }
        #expect(error?.sqlState == .adminShutdown)
        #expect(error?.isRetryable == true)
        let later = try await postgresError { _ = try await connection.query(Statement("SELECT 1")) }
        #expect(later?.kind == .connectionLostNotStarted)
      }
      try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
    }
  }

  @Test("kill -9 of the server and a restart: calls wait for it, and go on", .timeLimit(.minutes(10)))
  func killedCluster() async throws {
    let cluster = try await TestCluster.start()
    let url = try await cluster.makeDatabase()
    try await withPool(url: url, { $0.acquireTimeout = .seconds(60) }) { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (id int8)"))
      try await pool.withConnection { try await $0.expect("SELECT 1", gives: 1) }
      try await cluster.kill()
      async let shared = sentAgain { try await pool.number("SELECT 7") }
      async let leased = sentAgain { try await pool.withConnection { try await $0.number("SELECT 8") } }
      try await cluster.restart()
      let answers = try await (shared, leased)
      #expect(answers == (7, 8))
    }
    try await cluster.stop()
  }

  @Test("while the server is away, calls fail in time and say why", .timeLimit(.minutes(10)))
  func unreachable() async throws {
    try await withPool(url: "host=/tmp/nobody-listens-here dbname=x", { $0.acquireTimeout = .seconds(2) }) {
      pool in
      let start = ContinuousClock.now
      async let call = postgresError { _ = try await pool.query(Statement("SELECT 1")) }
      async let lease = postgresError { try await pool.withConnection { _ in } }
      let errors = try await [call, lease]
      #expect(errors.allSatisfy { $0?.kind == .unavailable && $0?.isRetryable == true })
      #expect(errors.allSatisfy { $0?.detailForLog?.contains("nobody-listens-here") == true })
      #expect(ContinuousClock.now - start < .seconds(50))
    }
  }

  /// Makes a call again each time that it met a connection whose end had not been noticed yet, before or after it was
  /// sent: once a connection at most.
  private func sentAgain(_ call: () async throws -> Int64) async throws -> Int64 {
    let lost: [PostgresError.Kind] = [.connectionLostNotStarted, .connectionLostOutcomeUnknown]
    for _ in 0..<16 {
      do {
        return try await call()
      } catch let error as PostgresError where lost.contains(error.kind) {
        continue
      }
    }
    return try await call()
  }
}
