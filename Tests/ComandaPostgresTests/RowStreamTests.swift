import ComandaPostgres
import Testing

@Suite("Row streams")
struct RowStreamTests {
  private static let series = Statement("SELECT generate_series(1, $1::int8)", name: "series")

  @Test("every row arrives once and in order", arguments: [0, 1, 255, 256, 257, 20_000])
  func allRows(count: Int64) async throws {
    try await withPool { pool in
      try await pool.withConnection { connection in
        // Twice: with and without a preparation before the rows.
        for _ in 0..<2 {
          var next: Int64 = 1
          for try await row in connection.stream(Self.series, [.int8(count)]) {
            #expect(try row.int64(0) == next)
            next += 1
          }
          #expect(next == count + 1)
        }
      }
    }
  }

  @Test("a slow reader stops the server, not this process's memory", .timeLimit(.minutes(10)))
  func backPressure() async throws {
    try await withPool { pool in
      try await pool.withConnection { connection in
        let wide = Statement("SELECT repeat('x', 10000) FROM generate_series(1, $1::int8)")
        var count = 0
        for try await _ in connection.stream(wide, [.int8(5_000)]) {
          count += 1
          if count == 1 {
            // 50 MB of rows: the server can only be stuck in sending them.
            try await pool.waitForBackend(waitingFor: "ClientWrite")
          }
        }
        #expect(count == 5_000)
      }
    }
  }

  @Test("leaving the loop cancels the statement, and the connection goes on", .timeLimit(.minutes(10)))
  func leftEarly() async throws {
    try await withPool({ $0.interactive.connections = 1 }) { pool in
      try await pool.withConnection { connection in
        let pid = try await connection.number("SELECT pg_backend_pid()")
        for try await row in connection.stream(Self.series, [.int8(.max)]) where try row.int64(0) == 1_000 { break }
        try await connection.expect("SELECT pg_backend_pid()", gives: pid)
      }
      // A lease that ends while its statement is being cancelled may cost the connection, but not the pool.
      try await pool.withConnection { connection in
        for try await _ in connection.stream(Self.series, [.int8(.max)]) { break }
      }
      try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
    }
  }

  @Test("an error after some rows comes after those rows")
  func lateError() async throws {
    try await withPool { pool in
      try await pool.withConnection { connection in
        let division = Statement("SELECT 100 / (600 - i) FROM generate_series(1, 1000) AS i", name: "division")
        var count = 0
        let error = try await postgresError {
          for try await _ in connection.stream(division) { count += 1 }
        }
        #expect(count == 599)
        #expect(error?.sqlState?.code == "22012")
        #expect(error?.statementName == "division")
        try await connection.expect("SELECT 5", gives: 5)
      }
    }
  }

  @Test("cancelling the task ends the stream with a cancellation", .timeLimit(.minutes(10)))
  func cancellation() async throws {
    try await withPool { pool in
      let reading = Task {
        try await pool.withConnection { connection in
          let slow = Statement("SELECT i, pg_sleep(0.01) FROM generate_series(1, 100000) AS i")
          for try await _ in connection.stream(slow) {}
        }
      }
      try await Task.sleep(for: .milliseconds(100))
      reading.cancel()
      await #expect(throws: CancellationError.self) { try await reading.value }
    }
  }
}
