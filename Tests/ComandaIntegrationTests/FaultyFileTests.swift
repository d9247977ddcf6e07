import ComandaProtos
import ComandaTestRun
import Foundation
import Testing

/// A file in which everything is wrong that people and programs get wrong.
@Suite("A file with bad rows", .timeLimit(.minutes(20)))
struct FaultyFileTests {
  /// A line of the file, and what has to be said of it.
  private struct Line {
    let text: [UInt8]
    /// Field and code; nil for a good line.
    let problem: (field: String, code: String)?
    /// What the message has to name: what is wrong, or what would be right.
    let hints: [String]

    static func good(_ text: String) -> Line {
      Line(text: Array(text.utf8), problem: nil, hints: [])
    }

    static func bad(_ text: String, _ field: String, _ code: String, _ hints: String...) -> Line {
      Line(text: Array(text.utf8), problem: (field, code), hints: hints)
    }

    static func bad(bytes: [UInt8], _ field: String, _ code: String, _ hints: String...) -> Line {
      Line(text: bytes, problem: (field, code), hints: hints)
    }
  }

  private static let lines: [Line] = [
    .good("good-1,USD,9.00,Margherita,1,9.00,"),
    .bad("no-price,USD,,Margherita,1,,", "items[0].total", "REQUIRED", "empty", "write the price"),
    .bad("zero,USD,,Margherita,0,9.00,", "items[0].quantity", "OUT_OF_RANGE", "is 0", "above 0"),
    .bad("wrong-total,USD,10.00,Margherita,1,9.00,", "cost.total", "MISMATCH", "10.00", "9.00"),
    .bad("no-currency,XXQ,,Margherita,1,9.00,", "currency", "UNKNOWN_CURRENCY", "ISO 4217"),
    .bad(
      "huge,USD,,Margherita,1,9.00," + String(repeating: "x", count: 300 << 10), "items[0].note", "TOO_LARGE", "262144",
      "shorten"),
    .bad("quoting,USD,,\"Marg\"herita,1,9.00,", "items[0].name", "BROKEN_QUOTING", "quote", "double each quote"),
    .bad(
      bytes: Array("utf8,USD,,Marg".utf8) + [0xFF] + Array("herita,1,9.00,".utf8), "items[0].name", "INVALID_UTF8",
      "FF", "save the file as UTF-8"),
    .bad("good-1,USD,9.50,Margherita,1,9.50,", "external_id", "DUPLICATE_IN_FILE", "line 2"),
    .good("good-2,USD,18.00,Margherita,2,18.00,no onions"),
    .good("good-1,USD,9.00,Margherita,1,9.00,"),
  ]

  @Test("brings in the good ones, and lists each bad one with line, field, reason and what would be right")
  func badRows() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    let client = try CommandLineClient(account, of: server)
    let directory = try TestRun.makeDirectory("faulty")
    let header = Array("external_id,currency,order_total,item_name,item_quantity,item_total,item_note".utf8)
    let bytes = ([header] + Self.lines.map(\.text)).flatMap { $0 + [UInt8(ascii: "\n")] }
    try Data(bytes).write(to: URL(filePath: directory + "/orders.csv"))

    let importing = try await client.run(
      ["import", directory + "/orders.csv", "--json", "--failures", directory + "/failed.csv"])
    #expect(importing.ended == .exit(3), "\(importing.transcript)")
    let failed = Self.lines.filter { $0.problem != nil }.count
    #expect(
      try importing.json() == ImportSummary(rows: Self.lines.count, applied: 2, unchanged: 1, failed: failed))
    let reported = importing.errors.split(separator: "\n").filter { $0.hasPrefix("line ") }
    #expect(reported.count == failed, "one line for each failed row\n\(importing.errors)")
    for (index, line) in Self.lines.enumerated() {
      guard let problem = line.problem else { continue }
      // The header is line 1.
      let start = "line \(index + 2): \(problem.field) \(problem.code): "
      guard let report = reported.first(where: { $0.hasPrefix(start) }) else {
        Issue.record("nothing begins with \"\(start)\"\n\(importing.errors)")
        continue
      }
      for hint in line.hints { #expect(report.contains(hint)) }
      #expect(report.utf8.count < 700, "a cell is not repeated")
    }

    let kept = try Data(contentsOf: URL(filePath: directory + "/failed.csv"))
    #expect(kept.contains(0xFF), "original lines keep their bytes")
    #expect(kept.filter { $0 == UInt8(ascii: "\n") }.count == 1 + failed)
    let statistics: OrderStatistics = try await client.json(["orders", "stats"])
    #expect(
      statistics == OrderStatistics(orders: 2, items: 2, byStatus: ["PENDING": 2], totalMinor: ["USD": 2_700]))
    #expect(try await Database.of(server) { try await $0.brokenRules() } == [])
  }

  @Test("of which none is good does nothing, and says so by its exit code")
  func onlyBadRows() async throws {
    let server = try await Server.shared()
    let client = try await CommandLineClient(Account.make(on: server), of: server)
    let file = try TestRun.makeDirectory("faulty") + "/orders.csv"
    try Data("external_id,item_name,item_total\n1,Margherita,\n".utf8).write(to: URL(filePath: file))
    let importing = try await client.run(["import", file, "--json"])
    #expect(importing.ended == .exit(1), "\(importing.transcript)")
    #expect(try importing.json() == ImportSummary(rows: 1, failed: 1))
  }
}
