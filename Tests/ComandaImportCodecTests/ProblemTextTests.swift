import ComandaImportCodec
import ComandaProtos
import Testing

@Suite("What a sender says of an unreadable row")
struct ProblemTextTests {
  private func problems(code: String = "BROKEN", field: String = "", message: String = "") throws -> [TestProblem] {
    let row = Comanda_V1_ImportRow.with {
      $0.unreadable.externalID = "A-1"
      $0.unreadable.problems = [
        .with {
          $0.code = code
          $0.field = field
          $0.message = message
        }
      ]
    }
    let bytes: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = [row] }.serializedBytes()
    return try ImportChunkDecoder().rows(of: chunkMessage(rows: bytes)).flatMap { row in
      row.content.problems.map { TestProblem(code: $0.code, field: $0.field, message: $0.message) }
    }
  }

  struct TestProblem: Equatable {
    let code: String
    let field: String
    let message: String
  }

  @Test("is kept without control and format characters: blanks stay blanks, the rest is shown as replaced")
  func controls() throws {
    let said = try problems(
      field: "a\u{1B}[31mb", message: "one\r\ntwo\tthree\u{7F}\u{9B}\u{202E}\u{200B}\u{2028}four 注文 👍🏽")
    #expect(
      said == [
        TestProblem(
          code: "BROKEN", field: "a\u{FFFD}[31mb",
          message: "one  two three\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}four 注文 👍🏽")
      ])
  }

  @Test(
    "has a code in UPPER_SNAKE_CASE, or none that a program could use",
    arguments: [
      "", "lower", "WITH SPACE", "TAB\t", "ÄRGER", "1ST", "_A", "A-B", "\u{1B}[31m", String(repeating: "A", count: 64),
    ])
  func badCodes(_ code: String) throws {
    #expect(try problems(code: code).map(\.code) == ["UNREADABLE"])
  }

  @Test("has the code that was sent where it is one", arguments: ["A", "NOT_A_NUMBER", "A1_2", "INVALID_UTF8"])
  func goodCodes(_ code: String) throws {
    #expect(try problems(code: code).map(\.code) == [code])
  }

  @Test("the external id of a row that is no order is cut to what an id may be, and holds no control character")
  func externalIDs() throws {
    let row = Comanda_V1_ImportRow.with {
      $0.unreadable.externalID = "A\u{1B}" + String(repeating: "é", count: 300)
      $0.unreadable.problems = [.with { $0.code = "BROKEN" }]
    }
    let bytes: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = [row] }.serializedBytes()
    let decoded = try #require(try ImportChunkDecoder().rows(of: chunkMessage(rows: bytes)).first)
    guard case .unreadable(let externalID, _) = decoded.content else {
      Issue.record("the row is read as an order")
      return
    }
    #expect(externalID == "A\u{FFFD}" + String(repeating: "é", count: 61) + "…")
  }
}
