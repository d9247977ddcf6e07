import CImportRows
import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import Foundation
import SwiftProtobuf
import Testing

@Suite("Rows that fail alone")
struct FailedRowTests {
  let decoder: ImportChunkDecoder

  init() throws {
    decoder = try ImportChunkDecoder()
  }

  /// A batch of three rows of which the middle one has `bad` in place of the text `@@`.
  private func rows(_ middle: Comanda_V1_ImportRow, bad: [UInt8]) throws -> [TestRow] {
    let good = Comanda_V1_ImportRow.with { $0.order.externalID = "good" }
    var bytes: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = [good, middle, good] }.serializedBytes()
    let at = try #require(bytes.indices.dropLast().first { bytes[$0] == 0x40 && bytes[$0 + 1] == 0x40 })
    bytes.replaceSubrange(at...at + 1, with: bad)
    return try decoder.rows(of: chunkMessage(rows: bytes))
  }

  /// A row in which the text of one field is `@@`.
  struct TextField: CustomTestStringConvertible {
    let path: String
    let row: Comanda_V1_ImportRow
    var testDescription: String { path }

    init(_ path: String, row: Comanda_V1_ImportRow) {
      self.path = path
      self.row = row
    }

    init(_ path: String, _ fill: (inout Comanda_V1_OrderDraft) -> Void) {
      self.init(
        path,
        row: .with {
          $0.order.externalID = "A-7"
          $0.order.items = [.with { $0.name = "Soup" }, Comanda_V1_OrderItem()]
          fill(&$0.order)
          $0.lines = [.with { $0.number = 20 }, .with { $0.number = 21 }]
        })
    }

    static let externalID = TextField("external_id") { $0.externalID = "@@" }
    static let itemNote = TextField("items[1].note") { $0.items[1].note = "@@" }
    static let all = [
      externalID,
      TextField("customer.name") { $0.customer.name = "@@" },
      TextField("customer.phone") { $0.customer.phone = "@@" },
      TextField("customer.email") { $0.customer.email = "@@" },
      TextField("delivery.address") { $0.delivery.address = "@@" },
      TextField("delivery.instructions") { $0.delivery.instructions = "@@" },
      TextField("items[1].name") { $0.items[1].name = "@@" },
      TextField("items[1].sku") { $0.items[1].sku = "@@" },
      itemNote,
      TextField("currency") { $0.currency = "@@" },
      TextField("note") { $0.note = "@@" },
      TextField("external_id", row: .with { $0.unreadable.externalID = "@@" }),
      TextField("problems[1].message", row: .with { $0.unreadable.problems = [.init(), .with { $0.message = "@@" }] }),
    ]
  }

  @Test("a text that is not UTF-8 fails its row with the path of the field", arguments: TextField.all)
  func invalidUTF8(field: TextField) throws {
    let decoded = try rows(field.row, bad: [0xC3, 0x28])
    #expect(decoded.count == 3)
    #expect(decoded.map { $0.content.problems.map(\.field) } == [[], [field.path], []])
    #expect(decoded[1].content.problems.map(\.code) == ["INVALID_UTF8"])
  }

  @Test("a NUL in a text fails its row as any other control character does", arguments: TextField.all)
  func nul(field: TextField) throws {
    let decoded = try rows(field.row, bad: [0x41, 0x00])
    #expect(decoded.map { $0.content.problems.map(\.field) } == [[], [field.path], []])
    #expect(decoded[1].content.problems.map(\.code) == ["CONTROL_CHARACTER"])
  }

  @Test("a row with a bad text keeps its external id, its line and its lines")
  func whatRemains() throws {
    let decoded = try rows(TextField.itemNote.row, bad: [0xFF, 0xFE])
    guard case .unreadable("A-7", let problems) = decoded[1].content else {
      Issue.record("no external id")
      return
    }
    #expect(problems.map(\.line) == [21])
    #expect(decoded[1].lines.map(\.line) == [20, 21])
    let badID = try rows(TextField.externalID.row, bad: [0xFF, 0xFE])
    #expect(badID[1].content == .unreadable(externalID: "", problems: badID[1].content.problems))
  }

  @Test("valid UTF-8 is exactly what Swift holds for valid")
  func unicode() {
    var random = SeededRandom(seed: 3)
    // Bytes near the borders of what is well-formed, between stretches of ASCII.
    let borders: [UInt8] = [
      0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF4,
      0xF5, 0xFF,
    ]
    var disagreements: [[UInt8]] = []
    for _ in 0..<20_000 {
      let ascii = [UInt8](repeating: 0x61, count: Int.random(in: 0...17, using: &random))
      let length = Int.random(in: 0...6, using: &random)
      let bytes = ascii + (0..<length).compactMap { _ in borders.randomElement(using: &random) } + ascii
      let valid = comanda_valid_text_prefix(bytes, bytes.count) == bytes.count
      if valid != (String(validating: bytes, as: UTF8.self) != nil) { disagreements.append(bytes) }
    }
    #expect(disagreements.isEmpty)
  }

  @Test("a NUL is found at every place of a text")
  func nulAnywhere() {
    for count in 0..<24 {
      for place in 0..<count {
        var bytes = [UInt8](repeating: 0x7F, count: count)
        bytes[place] = 0
        #expect(comanda_valid_text_prefix(bytes, count) == place)
      }
    }
  }

  @Test("more items, lines or problems than allowed fail the row")
  func tooMany() throws {
    func row(items: Int) -> Comanda_V1_ImportRow {
      .with { $0.order.items = Array(repeating: .init(), count: items) }
    }
    func row(lines: Int) -> Comanda_V1_ImportRow {
      .with {
        $0.order.externalID = "A-8"
        $0.lines = Array(repeating: .init(), count: lines)
      }
    }
    func row(problems: Int) -> Comanda_V1_ImportRow {
      .with { $0.unreadable.problems = Array(repeating: .init(), count: problems) }
    }
    let decoded = try decoder.rows(
      of: chunkMessage([
        row(items: 500), row(items: 501), row(lines: 1_000), row(lines: 1_001), row(problems: 20), row(problems: 25),
      ]))
    #expect(
      decoded.map { $0.content.problems.first?.message } == [
        nil, "items has 501 entries; at most 500 are allowed",
        nil, "lines has 1001 entries; at most 1000 are allowed",
        "", "problems has 25 entries; at most 20 are allowed",
      ])
    #expect(decoded[3].lines.count == 1_000)
  }

  @Test("a row that holds nothing, and one that is unreadable for no reason, say so")
  func empty() throws {
    let decoded = try decoder.rows(of: chunkMessage([.init(), .with { $0.unreadable = .init() }]))
    #expect(decoded.map { $0.content.problems.map(\.code) } == [["MISSING"], ["UNREADABLE"]])
  }

  @Test("a problem's texts are cut to their bounds")
  func cutProblems() throws {
    let long = String(repeating: "é", count: 2_000)
    let decoded = try decoder.rows(
      of: chunkMessage([
        .with {
          $0.unreadable.externalID = long
          $0.unreadable.problems = [
            .with {
              $0.code = long
              $0.field = long
              $0.message = long
              $0.line = -3
            }
          ]
        }
      ]))
    guard case .unreadable(let externalID, let problems) = decoded[0].content else { return }
    #expect(externalID.count == 64)
    #expect(problems.map { [$0.code.count, $0.field.count, $0.message.count] } == [["UNREADABLE".count, 200, 500]])
    #expect(problems.map(\.line) == [nil])
  }

  @Test("faults of one chunk do not show in the next")
  func noTrace() throws {
    let bad = try rows(TextField.externalID.row, bad: [0xFF, 0xFE])
    let good = try decoder.rows(of: chunkMessage(Array(repeating: .with { $0.order.externalID = "A" }, count: 3)))
    #expect(bad[1].content.problems.count == 1)
    #expect(good.allSatisfy { $0.content.problems.isEmpty })
  }
}
