import ComandaDomain
import ComandaStore
import FoundationEssentials
import Testing

/// A row of a test's file: what becomes of it is told by its name.
enum TestRow: Hashable {
  /// A right order; rows of one id and variant have the same content.
  case order(String, variant: Int64 = 0)
  /// A row that fails validation, with its id.
  case bad(String)
  /// A row that nobody can read.
  case unreadable
}

extension StoreFixture {
  func createImport(
    _ id: ImportID = newID(500), _ description: ImportDescription = ImportDescription(sourceName: "orders.csv")
  ) async throws -> ImportID {
    try await imports.create(id, description, in: business, by: mutation("CreateImport")).id
  }

  /// A chunk of the rows from `firstRow` on. Row n has the lines 2n and 2n + 1; its order id is made of import and row.
  func chunk(of id: ImportID, _ firstRow: Int64, _ rows: [TestRow]) throws -> StagedChunk {
    let content = Array("\(firstRow) \(rows)".utf8)
    var chunk = StagedChunk(
      businessID: business, importID: id, firstRow: firstRow, sha256: content.withUnsafeBytes(hash))
    for (offset, row) in rows.enumerated() {
      let number = firstRow + Int64(offset)
      for line in [2 * number, 2 * number + 1] {
        Array("line \(line) \(row)\u{FE0E}".utf8).withUnsafeBytes { chunk.append(line: line, bytes: $0) }
      }
      chunk.append(try stagedContent(of: row, number: number))
    }
    return chunk
  }

  private func stagedContent(of row: TestRow, number: Int64) throws -> StagedRow.Content {
    switch row {
    case .order(let externalID, let variant):
      let order = try draft(externalID, variant: variant).validated(now: now)
      var scratch: [UInt8] = []
      var random = SystemRandomNumberGenerator()
      return .valid(
        order, fingerprint: ContentFingerprint(of: order, scratch: &scratch, sha256: hash),
        orderID: OrderID.make(at: now, using: &random))
    case .bad(let externalID):
      return .failed(
        externalID: externalID,
        problems: [RowProblem(field: "items[0].total", code: "MISSING", message: "is missing", line: 2 * number)])
    case .unreadable:
      return .failed(
        externalID: "", problems: [RowProblem(field: "", code: "BROKEN_QUOTING", message: "is broken", line: nil)])
    }
  }

  /// Stages the rows in chunks, expecting that each is taken.
  func upload(_ rows: [TestRow], to id: ImportID, from firstRow: Int64 = 1, chunkRows: Int = 4) async throws {
    var next = firstRow
    while next < firstRow + Int64(rows.count) {
      let offset = Int(next - firstRow)
      let part = Array(rows[offset..<min(offset + chunkRows, rows.count)])
      let staging = try await imports.stage(chunk(of: id, next, part))
      next += Int64(part.count)
      #expect(staging == .staged(committedRow: next - 1))
    }
  }

  @discardableResult
  func finish(_ id: ImportID, rows: Int64, file: UInt8 = 7) async throws -> Import {
    try await imports.finish(
      id, totalRows: rows, fileSHA256: digest(file), of: business, by: mutation("UploadRows"))
  }

  /// Applies until nothing is left to do, as the background worker does.
  @discardableResult
  func applyEverything(limit: Int = 3) async throws -> [Application] {
    var steps: [Application] = []
    for business in try await imports.businessesWithWork(after: nil, limit: 10) {
      while case let step = try await imports.applyNext(of: business, limit: limit), step != .idle {
        steps.append(step)
      }
    }
    return steps
  }

  func allRows(of id: ImportID, outcomes: Set<RowOutcome> = [], pageSize: Int = 3) async throws -> [ImportRow] {
    var rows: [ImportRow] = []
    var cursor: Int64?
    repeat {
      let page = try await imports.rows(
        of: id, of: business, outcomes: outcomes, page: PageRequest(size: pageSize, after: cursor))
      rows += page.elements
      cursor = page.next
    } while cursor != nil
    return rows
  }

  func progress(of id: ImportID) async throws -> ImportProgress {
    try #require(try await imports.progress(of: id, of: business))
  }
}
