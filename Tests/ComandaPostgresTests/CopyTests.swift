import ComandaPostgres
import FoundationEssentials
import Synchronization
import Testing

@Suite("COPY")
struct CopyTests {
  private static let copy = "COPY thing FROM STDIN (FORMAT binary)"

  private nonisolated(nonsending) func withThings(
    _ body: nonisolated(nonsending) (PostgresPool) async throws -> Void
  ) async throws {
    try await withPool({ $0.interactive.connections = 2 }) { pool in
      _ = try await pool.query(Statement("CREATE TABLE thing (id int8 PRIMARY KEY, note text)"))
      try await body(pool)
    }
  }

  private func rows(_ ids: Range<Int64>, note: String = "") -> CopyBinaryEncoder {
    var encoder = CopyBinaryEncoder()
    for id in ids {
      encoder.beginRow(fields: 2)
      encoder.int8(id)
      encoder.text(note)
    }
    return encoder
  }

  private func header() -> [UInt8] {
    var encoder = CopyBinaryEncoder()
    encoder.header()
    return encoder.bytes
  }

  private func trailer() -> [UInt8] {
    var encoder = CopyBinaryEncoder()
    encoder.trailer()
    return encoder.bytes
  }

  @Test("rows go in, over many writes of any size, and are counted")
  func manyWrites() async throws {
    try await withThings { pool in
      let copied = try await pool.withConnection { connection in
        try await connection.copyIn(Self.copy) { writer in
          try await writer.write(header())
          try await writer.write([])
          var encoder = rows(0..<50_000, note: "a note")
          try await writer.write(&encoder)
          #expect(encoder.count == 0)
          // Cut at every byte boundary that a row has.
          for byte in rows(50_000..<50_010).bytes { try await writer.write([byte]) }
          try await writer.write(rows(50_010..<50_020).bytes[...])
          try await writer.write(trailer())
        }
      }
      #expect(copied == 50_020)
      try await pool.expect("SELECT sum(id) FROM thing", gives: (0..<50_020).reduce(0, +))
    }
  }

  @Test("a server that does not read makes the writer wait", .timeLimit(.minutes(10)))
  func backPressure() async throws {
    try await withThings { pool in
      try await pool.withConnection { blocker in
        _ = try await blocker.query(Statement("BEGIN"))
        // The copy meets this row at once, and waits for its transaction.
        _ = try await blocker.query(Statement("INSERT INTO thing VALUES (0)"))
        let written = Atomic(0)
        let copying = Task {
          try await pool.withConnection { connection in
            try await connection.copyIn(Self.copy) { writer in
              try await writer.write(header())
              for part in 0..<64 {
                var encoder = rows(
                  Int64(part * 1_000)..<Int64(part * 1_000 + 1_000), note: String(repeating: "x", count: 1_000))
                try await writer.write(&encoder)
                written.store(part + 1, ordering: .relaxed)
              }
              try await writer.write(trailer())
            }
          }
        }
        try await pool.waitForBackend(waitingFor: "Lock")
        // Time for a writer that does not wait; one that does holds no more than the socket, however long this is.
        try await Task.sleep(for: .milliseconds(100))
        #expect(written.load(ordering: .relaxed) < 8)
        _ = try await blocker.query(Statement("ROLLBACK"))
        #expect(try await copying.value == 64_000)
        #expect(written.load(ordering: .relaxed) == 64)
      }
    }
  }

  private struct Refusal: Error {}

  @Test("an error in the body takes all rows back, and is the error")
  func bodyThrows() async throws {
    try await withThings { pool in
      try await pool.withConnection { connection in
        await #expect(throws: Refusal.self) {
          _ = try await connection.copyIn(Self.copy) { writer in
            try await writer.write(header())
            try await writer.write(rows(0..<10_000).bytes)
            throw Refusal()
          }
        }
        try await connection.expect("SELECT count(*) FROM thing", gives: 0)
      }
    }
  }

  @Test("the server's error in the middle is thrown with its code, and the connection goes on")
  func serverError() async throws {
    try await withThings { pool in
      try await pool.withConnection { connection in
        let duplicate = try await postgresError {
          _ = try await connection.copyIn(Self.copy) { writer in
            try await writer.write(header())
            try await writer.write(rows(0..<10).bytes)
            try await writer.write(rows(5..<6).bytes)
            for _ in 0..<100 {
              try await writer.write(rows(1_000..<2_000, note: String(repeating: "x", count: 100)).bytes)
            }
            try await writer.write(trailer())
          }
        }
        #expect(duplicate?.sqlState == .uniqueViolation)
        let malformed = try await postgresError {
          _ = try await connection.copyIn(Self.copy) { try await $0.write(Array("no header".utf8)) }
        }
        #expect(malformed?.sqlState?.code == "22P04")
        let missing = try await postgresError {
          _ = try await connection.copyIn("COPY nowhere FROM STDIN") { _ in Issue.record("there is nothing to write to")
          }
        }
        #expect(missing?.sqlState == .undefinedTable)
        try await connection.expect("SELECT count(*) FROM thing", gives: 0)
      }
    }
  }

  @Test("what is not COPY … FROM STDIN is refused")
  func otherStatements() async throws {
    try await withThings { pool in
      for sql in ["SELECT 1", "COPY thing TO STDOUT"] {
        let error = try await postgresError {
          try await pool.withConnection { connection in
            _ = try await connection.copyIn(sql) { _ in Issue.record("there is nothing to write to") }
          }
        }
        #expect(error != nil)
      }
      try await pool.withConnection { try await $0.expect("SELECT 5", gives: 5) }
    }
  }

  @Test("other calls are refused while data is on its way")
  func exclusive() async throws {
    try await withThings { pool in
      try await pool.withConnection { connection in
        let copied = try await connection.copyIn(Self.copy) { writer in
          try await writer.write(header())
          let error = try await postgresError { _ = try await connection.query(Statement("SELECT 1")) }
          #expect(error?.kind == .misuse)
          try await writer.write(rows(0..<3).bytes)
          try await writer.write(trailer())
        }
        #expect(copied == 3)
      }
    }
  }

  @Test("cancelling the task ends a COPY that waits for a lock", .timeLimit(.minutes(10)))
  func cancellation() async throws {
    try await withThings { pool in
      try await pool.withConnection { blocker in
        _ = try await blocker.query(Statement("BEGIN"))
        _ = try await blocker.query(Statement("INSERT INTO thing VALUES (0)"))
        let copying = Task {
          try await pool.withConnection { connection in
            try await connection.copyIn(Self.copy) { writer in
              try await writer.write(header())
              try await writer.write(rows(0..<10_000, note: String(repeating: "x", count: 1_000)).bytes)
              try await writer.write(trailer())
            }
          }
        }
        try await pool.waitForBackend(waitingFor: "Lock")
        copying.cancel()
        await #expect(throws: CancellationError.self) { try await copying.value }
      }
      try await pool.expect("SELECT count(*) FROM thing", gives: 0)
    }
  }
}
