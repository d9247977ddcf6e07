import ComandaPostgres
import ComandaTestDatabase
import FoundationEssentials
import Testing

@Suite("Lanes and tenants")
struct LaneTests {
  private let greedy = UUID()
  private let other = UUID()

  @Test(
    "a tenant that takes all it may of a lane delays nobody else, there or in other lanes", .timeLimit(.minutes(10)))
  func neighbours() async throws {
    let url = try await TestDatabase.shared.makeDatabase()
    try await withPool(url: url) { observer in
      try await withPool(
        url: url,
        {
          $0.reports.connections = 2
          $0.reports.connectionsPerTenant = 1
          $0.reports.waitersPerTenant = 20
          $0.reports.statementTimeout = .seconds(120)
          $0.acquireTimeout = .seconds(120)
        }
      ) { pool in
        try await pool.withConnection(.reports, for: greedy) { try await $0.expect("SELECT 0", gives: 0) }
        let kinds = try await observer.withGate { gate in
          try await withThrowingTaskGroup(of: PostgresError.Kind?.self) { group in
            for _ in 0..<24 {
              group.addTask {
                try await postgresError {
                  _ = try await pool.withConnection(.reports, for: greedy) { try await $0.query(gate.statement) }
                }?.kind
              }
            }
            // All have asked once three are refused: one runs, and twenty wait.
            var kinds: [PostgresError.Kind?] = []
            while kinds.count < 3, let kind = try await group.next() { kinds.append(kind) }
            try await pool.withConnection(.reports, for: other) { try await $0.expect("SELECT 1", gives: 1) }
            for lane in LeasedLane.allCases where lane != .reports {
              try await pool.withConnection(lane, for: greedy) { try await $0.expect("SELECT 2", gives: 2) }
            }
            _ = try await pool.query(Statement("SELECT 3", readOnly: true), for: greedy)
            _ = try await pool.transaction([(Statement("SELECT 4"), [])], for: greedy)
            let running = try await observer.backends(waitingFor: "advisory")
            #expect(running == 1)
            try await gate.open()
            return try await group.reduce(into: kinds) { $0.append($1) }
          }
        }
        #expect(kinds.prefix(3).allSatisfy { $0 == .poolExhausted })
        #expect(kinds.suffix(21).allSatisfy { $0 == nil })
      }
    }
  }

  @Test("who gives up waiting leaves its place to others at once", .timeLimit(.minutes(10)))
  func withdrawal() async throws {
    try await withPool({
      $0.interactive.connections = 2
      $0.interactive.connectionsPerTenant = 1
      $0.interactive.waitersPerTenant = 1
      $0.acquireTimeout = .seconds(120)
    }) { pool in
      try await pool.withConnection(for: greedy) { _ in
        for _ in 0..<50 {
          let waiting = Task { try await pool.withConnection(for: greedy) { _ in } }
          waiting.cancel()
          await #expect(throws: CancellationError.self) { try await waiting.value }
        }
      }
      try await pool.withConnection(for: greedy) { try await $0.expect("SELECT 1", gives: 1) }
    }
  }

  @Test("each lane has its own limit for a statement")
  func statementTimeouts() async throws {
    try await withPool({
      $0.reads.statementTimeout = .milliseconds(1_001)
      $0.writes.statementTimeout = .milliseconds(1_002)
      $0.interactive.statementTimeout = .milliseconds(1_003)
      $0.imports.statementTimeout = nil
      $0.reports.statementTimeout = .milliseconds(1_005)
    }) { pool in
      let shown = "SELECT setting::int8 FROM pg_settings WHERE name = 'statement_timeout'"
      let read = try await pool.query(Statement(shown, readOnly: true))
      #expect(try read.rows[0].int64(0) == 1_001)
      try await pool.expect(shown, gives: 1_002)
      for (lane, limit) in zip(LeasedLane.allCases, [1_003, 0, 1_005] as [Int64]) {
        try await pool.withConnection(lane) { try await $0.expect(shown, gives: limit) }
      }
    }
  }
}
