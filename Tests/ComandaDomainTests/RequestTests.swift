import ComandaDomain
import Testing

@Suite("Requests, pages, imports and errors")
struct RequestTests {
  @Test("a request id has 1 to 64 visible ASCII characters")
  func requestIDs() throws {
    let digest = try #require(SHA256Digest([UInt8](repeating: 1, count: 32)))
    for right in ["a", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", String(repeating: "~", count: 64)] {
      #expect(try RequestKey(id: right, fingerprint: digest).id == right)
    }
    for wrong in ["", " ", "a b", "é", "a\u{0}", String(repeating: "a", count: 65)] {
      #expect(throws: DomainError.self) { try RequestKey(id: wrong, fingerprint: digest) }
    }
  }

  @Test("page sizes are held between one and the limit")
  func pageSizes() {
    #expect(
      [-5, 0, 1, 50, 1_000, 1_001, .max].map { PageRequest<Int64>(size: $0).size } == [
        1, 1, 1, 50, 1_000, 1_000, 1_000,
      ])
  }

  @Test("everything wrong with an import's description is told")
  func descriptions() {
    #expect(ImportDescription(sourceName: "orders.csv", group: "november", expectedRows: 0).violations.isEmpty)
    let wrong = ImportDescription(
      sourceName: "", group: String(repeating: "g", count: 129), expectedRows: -1,
      sourceHeader: [UInt8](repeating: 0x61, count: 16 * 1_024 + 1))
    #expect(
      wrong.violations.map { "\($0.field) \($0.code)" } == [
        "spec.source_name MISSING", "spec.group TOO_LONG", "spec.expected_rows OUT_OF_RANGE",
        "spec.source_header TOO_LONG",
      ])
  }

  @Test("a chunk hands out each row's lines, and none of its neighbours'")
  func chunks() throws {
    var chunk = StagedChunk(
      businessID: BusinessID(try #require(.init(uuidString: "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"))),
      importID: ImportID(try #require(.init(uuidString: "017f22e2-79b0-7cc3-98c4-dc0c0c07398e"))), firstRow: 11,
      sha256: try #require(SHA256Digest([UInt8](repeating: 1, count: 32))))
    #expect(chunk.lastRow == 10)
    let rows: [[String]] = [["a", "bc"], [], ["", "d"]]
    var line: Int64 = 100
    for row in rows {
      for text in row {
        Array(text.utf8).withUnsafeBytes { chunk.append(line: line, bytes: $0) }
        line += 1
      }
      chunk.append(.failed(externalID: "", problems: [RowProblem(field: "", code: "C", message: "m", line: nil)]))
    }
    #expect(chunk.lastRow == 13)
    #expect(rows.indices.map { chunk.firstLine(ofRowAt: $0) } == [100, nil, 102])
    for index in rows.indices {
      var seen: [String] = []
      chunk.forEachLine(ofRowAt: index) { seen.append(String(decoding: $1, as: UTF8.self)) }
      #expect(seen == rows[index])
    }
  }

  @Test("each error has a reason of its own")
  func reasons() {
    let errors: [DomainError] = [
      .invalid([]), .notFound(.order, id: "x"), .notFound(.import, id: "x"), .requestIDReused,
      .etagMismatch(current: "2"), .illegalMove(IllegalMove(from: .ready, to: .ready, legal: [])),
      .importNotOpen(.completed), .finishMismatch(totalRows: 1, committedRow: 2), .fileDiffers,
      .tooManyUnfinishedImports(limit: 100),
      .scopeMissing(.ordersRead), .businessForeign, .businessMissing, .aborted,
      .storeUnavailable(mayHaveTakenEffect: true), .fault,
    ]
    #expect(Set(errors.map(\.reason)).count == errors.count)
    #expect(errors.allSatisfy { $0.reason.utf8.allSatisfy { (0x41...0x5A).contains($0) || $0 == 0x5F } })
  }
}
