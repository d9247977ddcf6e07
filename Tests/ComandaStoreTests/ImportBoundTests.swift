import ComandaDomain
import ComandaStore
import Testing

@Suite("The bounds of imports in PostgreSQL")
struct ImportBoundTests {
  @Test("a failed row's external id of any length is staged, cut, and the rest goes on")
  func longExternalIDs() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      var random = SeededGenerator(seed: testSeed)
      // Random letters: an index key is compressed, and one letter repeated would fit.
      let long = String((0..<12_000).map { _ in Character(UnicodeScalar(UInt8.random(in: 33...126, using: &random))) })
      try await store.upload([.order("A"), .bad(long), .order("B")], to: id)
      try await store.finish(id, rows: 3)
      try await store.applyEverything()
      let rows = try await store.allRows(of: id)
      #expect(rows.map(\.outcome) == [.applied, .failed, .applied])
      #expect(rows[1].externalID.unicodeScalars.count == 64)
      #expect(rows[1].externalID.hasPrefix(String(long.prefix(63))))
    }
  }

  @Test("a business has 100 unfinished imports, also when two are created at once; a repeated request still answers")
  func unfinished() async throws {
    try await StoreFixture.run { store in
      let first = try store.mutation("CreateImport", request: "first", content: 1)
      let description = ImportDescription(sourceName: "orders.csv")
      let created = try await store.imports.create(newID(500), description, in: store.business, by: first)
      for number in 1..<98 as Range<UInt64> { _ = try await store.createImport(newID(500 + number)) }
      let outcomes = await withTaskGroup { group in
        for number in 98..<102 as Range<UInt64> {
          group.addTask { () -> DomainError? in
            do {
              _ = try await store.createImport(newID(500 + number))
              return nil
            } catch {
              return error as? DomainError
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.filter { $0 == nil }.count == 2)
      #expect(outcomes.compactMap { $0?.reason } == ["IMPORTS_UNFINISHED", "IMPORTS_UNFINISHED"])
      #expect(try await store.count("imports") == 100)
      let again = try await store.imports.create(newID(700), description, in: store.business, by: first)
      #expect(again.id == created.id)

      _ = try await store.imports.cancel(created.id, of: store.business, by: store.mutation("Cancel"))
      _ = try await store.createImport(newID(701))
      #expect(try await store.count("imports") == 101)
    }
  }

  @Test("a page of failed rows ends at about a megabyte of problems and goes on behind it")
  func bigProblems() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      let problem = RowProblem(field: "f", code: "C", message: String(repeating: "😀", count: 500), line: 1)
      for row in 1...60 as ClosedRange<Int64> {
        var chunk = StagedChunk(businessID: store.business, importID: id, firstRow: row, sha256: digest(UInt8(row)))
        chunk.append(.failed(externalID: "", problems: Array(repeating: problem, count: 20)))
        #expect(try await store.imports.stage(chunk) == .staged(committedRow: row))
      }
      for outcomes in [[], [.failed]] as [Set<RowOutcome>] {
        let page = try await store.imports.rows(
          of: id, of: store.business, outcomes: outcomes, page: PageRequest(size: 1_000))
        #expect(page.elements.count == 27 && page.next == 27)
        #expect(try await store.allRows(of: id, outcomes: outcomes, pageSize: 1_000).count == 60)
      }
    }
  }

  @Test("a page of imports ends at about a megabyte of header lines and goes on behind it")
  func bigHeaders() async throws {
    try await StoreFixture.run { store in
      let header = [UInt8](repeating: 0x78, count: ImportDescription.sourceHeaderLength)
      for number in 0..<80 as Range<UInt64> {
        let description = ImportDescription(sourceName: "orders.csv", sourceHeader: header)
        _ = try await store.createImport(newID(500 + number), description)
      }
      var ids: [ImportID] = []
      var pages: [Int] = []
      var cursor: ImportID?
      repeat {
        let page = try await store.imports.list(
          states: [], group: "", of: store.business, page: PageRequest(size: 1_000, after: cursor))
        pages.append(page.elements.count)
        ids += page.elements.map(\.id)
        cursor = page.next
      } while cursor != nil
      #expect(ids == (500..<580).reversed().map { newID($0) })
      #expect(pages.allSatisfy { $0 <= 65 } && pages.count == 2, "\(pages)")
    }
  }
}
