import ComandaDomain
import ComandaStore
import Testing

@Suite("Imports in PostgreSQL")
struct ImportStoreTests {
  @Test("an import comes back as it was created, and a repeated request creates no second one")
  func creation() async throws {
    try await StoreFixture.run { store in
      let description = ImportDescription(
        sourceName: "注文.csv", group: "november", fileSHA256: digest(3), mappingSHA256: digest(4), expectedRows: 9,
        defaults: OrderDefaults(currency: .usd, paymentMethod: .cash, notificationChannel: .sms),
        createsPayments: false, createsNotifications: false, sourceHeader: [0xEF, 0xBB, 0xBF, 0xFF])
      let mutation = try store.mutation("CreateImport", request: "r-1", content: 1)
      let first = try await store.imports.create(newID(500), description, in: store.business, by: mutation)
      #expect(first.description == description && first.progress.state == .receiving)
      #expect(first.createdBy == store.actor && first.createdAt == store.now)
      let second = try await store.imports.create(newID(501), description, in: store.business, by: mutation)
      #expect(second.id == first.id)
      await #expect(throws: DomainError.requestIDReused) {
        try await store.imports.create(
          newID(502), description, in: store.business, by: store.mutation("CreateImport", request: "r-1", content: 2))
      }
      let stranger: BusinessID = newID(99)
      #expect(try await store.imports.find(first.id, of: stranger) == nil)
      await #expect(throws: DomainError.notFound(.business, id: "\(stranger)")) {
        try await store.imports.create(newID(503), description, in: stranger, by: store.mutation("CreateImport"))
      }
    }
  }

  @Test("imports are listed the newest first, by state and group, in pages")
  func list() async throws {
    try await StoreFixture.run { store in
      for number in 1...5 as ClosedRange<UInt64> {
        _ = try await store.createImport(
          newID(500 + number), ImportDescription(sourceName: "f", group: number % 2 == 0 ? "even" : ""))
      }
      _ = try await store.imports.cancel(newID(503), of: store.business, by: store.mutation("Cancel"))
      func ids(_ states: Set<ImportState>, _ group: String) async throws -> [ImportID] {
        var found: [ImportID] = []
        var cursor: ImportID?
        repeat {
          let page = try await store.imports.list(
            states: states, group: group, of: store.business, page: PageRequest(size: 2, after: cursor))
          found += page.elements.map(\.id)
          cursor = page.next
        } while cursor != nil
        return found
      }
      #expect(try await ids([], "") == [505, 504, 503, 502, 501].map(newID))
      #expect(try await ids([.receiving], "") == [505, 504, 502, 501].map(newID))
      #expect(try await ids([], "even") == [504, 502].map(newID))
      #expect(try await ids([.completed], "") == [])
    }
  }

  @Test("rows become orders while the upload runs, and the import ends after Finish alone")
  func happyPath() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload([.order("B"), .order("A"), .order("C"), .order("D")], to: id)
      try await store.applyEverything()
      let halfway = try await store.progress(of: id)
      #expect(halfway.state == .receiving && halfway.counts.applied == 4 && halfway.appliedRow == 4)
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 10) == [])

      try await store.upload([.order("E")], to: id, from: 5)
      let sealed = try await store.finish(id, rows: 5)
      #expect(sealed.progress.state == .applying && sealed.progress.totalRows == 5)
      let steps = try await store.applyEverything()
      guard case .ended(_, let progress) = steps.last else {
        Issue.record("not ended: \(steps)")
        return
      }
      #expect(progress.state == .completed)
      #expect(progress.counts == ImportCounts(applied: 5, unchanged: 0, failed: 0, unprocessed: 0))
      #expect(progress.sequence > halfway.sequence)

      let rows = try await store.allRows(of: id)
      #expect(rows.map(\.externalID) == ["B", "A", "C", "D", "E"])
      #expect(rows.allSatisfy { $0.outcome == .applied })
      let order = try #require(try await store.orders.order(externalID: "A", of: store.business))
      #expect(order.id == rows[1].orderID)
      #expect(order.origin == ImportOrigin(importID: id, row: 2))
      #expect(order.content == (try draft("A").validated(now: store.now)))
      let feed = try await store.orders.history(of: order.id, of: store.business)
      #expect(feed.map(\.sequence) == [2])
      #expect(try await store.count("audit_records WHERE method = 'apply' AND digest IS NOT NULL") == 3)
    }
  }

  @Test("a sealed import whose rows were all applied before, or that has none, ends too")
  func endAfterSeal() async throws {
    try await StoreFixture.run { store in
      let full = try await store.createImport()
      try await store.upload([.order("A")], to: full)
      try await store.applyEverything()
      try await store.finish(full, rows: 1)
      let empty = try await store.createImport(newID(501))
      try await store.finish(empty, rows: 0)
      try await store.applyEverything()
      #expect(try await store.progress(of: full).state == .completed)
      #expect(try await store.progress(of: empty).state == .completed)
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 10) == [])
    }
  }

  @Test("a chunk is taken once: again it is a duplicate, changed a conflict, elsewhere out of range")
  func chunkPlaces() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      let first = try store.chunk(of: id, 1, [.order("A"), .order("B")])
      #expect(try await store.imports.stage(first) == .staged(committedRow: 2))
      #expect(try await store.imports.stage(first) == .duplicate(committedRow: 2))
      let changed = try store.chunk(of: id, 1, [.order("A"), .order("X")])
      #expect(try await store.imports.stage(changed) == .conflict(committedRow: 2))
      let inside = try store.chunk(of: id, 2, [.order("B")])
      #expect(try await store.imports.stage(inside) == .conflict(committedRow: 2))
      let straddling = try store.chunk(of: id, 2, [.order("B"), .order("C")])
      #expect(try await store.imports.stage(straddling) == .outOfRange(committedRow: 2))
      let above = try store.chunk(of: id, 4, [.order("C")])
      #expect(try await store.imports.stage(above) == .outOfRange(committedRow: 2))
      let unknown = try store.chunk(of: newID(599), 1, [.order("A")])
      #expect(try await store.imports.stage(unknown) == .notFound)
      try await store.finish(id, rows: 2)
      #expect(try await store.imports.stage(first) == .duplicate(committedRow: 2))
      let late = try store.chunk(of: id, 3, [.order("C")])
      #expect(try await store.imports.stage(late) == .notOpen(.applying))
    }
  }

  @Test("Finish wants all rows and the same file, and may be sent again")
  func finishing() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport(
        newID(500), ImportDescription(sourceName: "f", fileSHA256: digest(7)))
      try await store.upload([.order("A")], to: id)
      await #expect(throws: DomainError.finishMismatch(totalRows: 2, committedRow: 1)) {
        try await store.finish(id, rows: 2)
      }
      await #expect(throws: DomainError.fileDiffers) { try await store.finish(id, rows: 1, file: 8) }
      let sealed = try await store.finish(id, rows: 1)
      #expect(try await store.finish(id, rows: 1).progress.sequence == sealed.progress.sequence)
      await #expect(throws: DomainError.fileDiffers) { try await store.finish(id, rows: 1, file: 8) }
      await #expect(throws: DomainError.notFound(.import, id: "\(newID(599) as ImportID)")) {
        try await store.finish(newID(599), rows: 1)
      }
    }
  }

  @Test("the lowest row of an external id wins: later ones are unchanged or fail naming its line")
  func duplicatesWithin() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      // Row 7 repeats an order across chunks, row 8 contradicts one, row 9 follows a failed row of its id.
      try await store.upload(
        [
          .order("A"), .order("A"), .order("A", variant: 1), .bad("B"), .order("C"), .unreadable, .order("C"),
          .order("C", variant: 2), .order("B"), .unreadable,
        ], to: id)
      try await store.finish(id, rows: 10)
      try await store.applyEverything()
      let rows = try await store.allRows(of: id)
      #expect(
        rows.map(\.outcome) == [
          .applied, .unchanged, .failed, .failed, .applied, .failed, .unchanged, .failed, .failed, .failed,
        ])
      #expect(rows[1].orderID == rows[0].orderID && rows[6].orderID == rows[4].orderID)
      #expect(rows[2].problems.first?.code == RowProblemCode.duplicateInFile)
      #expect(rows[2].problems.first?.message.contains("line 2,") == true)
      #expect(rows[7].problems.first?.message.contains("line 10,") == true)
      #expect(rows[8].problems.first?.message.contains("line 8,") == true)
      let progress = try await store.progress(of: id)
      #expect(progress.counts == ImportCounts(applied: 2, unchanged: 2, failed: 6, unprocessed: 0))
      #expect(try await store.count("orders") == 2)
    }
  }

  @Test("failed rows come with their source lines byte by byte, and are listed alone")
  func failedRows() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload([.order("A"), .bad("B"), .order("C"), .unreadable, .order("E"), .bad("F")], to: id)
      try await store.finish(id, rows: 6)
      try await store.applyEverything()
      let failed = try await store.allRows(of: id, outcomes: [.failed], pageSize: 2)
      #expect(failed.map(\.number) == [2, 4, 6])
      #expect(failed[0].source.map(\.line) == [4, 5])
      #expect(failed[0].source.map(\.bytes) == [4, 5].map { Array("line \($0) \(TestRow.bad("B"))\u{FE0E}".utf8) })
      #expect(
        failed[0].problems == [RowProblem(field: "items[0].total", code: "MISSING", message: "is missing", line: 4)])
      #expect(failed[1].problems.first?.line == nil)
      let applied = try await store.allRows(of: id, outcomes: [.applied])
      #expect(applied.map(\.number) == [1, 3, 5] && applied.allSatisfy { $0.source.isEmpty })
    }
  }

  @Test("a page of failed rows is cut at a megabyte of source lines and goes on behind it")
  func bigFailedRows() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      let cell = [UInt8](repeating: 0x78, count: 250_000)
      for row in 1...9 as ClosedRange<Int64> {
        var chunk = StagedChunk(
          businessID: store.business, importID: id, firstRow: row, sha256: digest(UInt8(row)))
        cell.withUnsafeBytes { chunk.append(line: row, bytes: $0) }
        chunk.append(
          .failed(externalID: "", problems: [RowProblem(field: "", code: "TOO_LARGE", message: "m", line: row)]))
        #expect(try await store.imports.stage(chunk) == .staged(committedRow: row))
      }
      let page = try await store.imports.rows(
        of: id, of: store.business, outcomes: [.failed], page: PageRequest(size: 100))
      #expect(page.elements.count == 5 && page.next == 5)
      #expect(try await store.allRows(of: id, outcomes: [.failed], pageSize: 100).count == 9)
      #expect(try await store.allRows(of: id, pageSize: 100).map(\.source.count) == [Int](repeating: 1, count: 9))
    }
  }

  @Test("a second import of the same file changes nothing; other content fails, and so do its duplicates")
  func duplicatesAcross() async throws {
    try await StoreFixture.run { store in
      _ = try await store.orders.create(
        store.newOrder(draft("C", variant: 9), id: 10), in: store.business, by: store.mutation("Create"))
      let first = try await store.createImport()
      let file: [TestRow] = [.order("A"), .order("B"), .order("C"), .order("C"), .order("A")]
      try await store.upload(file, to: first)
      try await store.finish(first, rows: 5)
      try await store.applyEverything()
      #expect(try await store.allRows(of: first).map(\.outcome) == [.applied, .applied, .failed, .failed, .unchanged])

      let second = try await store.createImport(newID(501))
      try await store.upload(file, to: second)
      try await store.finish(second, rows: 5)
      try await store.applyEverything()
      let rows = try await store.allRows(of: second)
      #expect(rows.map(\.outcome) == [.unchanged, .unchanged, .failed, .failed, .unchanged])
      #expect(rows[3].problems.first?.code == RowProblemCode.alreadyExists && rows[3].problems.first?.line == 8)
      #expect(rows[0].orderID == (try await store.orders.order(externalID: "A", of: store.business)?.id))
      #expect(try await store.count("orders") == 3)
      #expect(try await store.count("payment_intents") == 3)
    }
  }

  @Test("a canceled import keeps what was applied; the rest stays unprocessed")
  func canceling() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload([.order("A"), .bad("B"), .order("C"), .order("D"), .order("A")], to: id)
      _ = try await store.imports.applyNext(of: store.business, limit: 2)
      let mutation = try store.mutation("Cancel", request: "r-1", content: 1)
      let canceled = try await store.imports.cancel(id, of: store.business, by: mutation)
      #expect(canceled.progress.state == .canceled && canceled.endedAt != nil)
      #expect(canceled.progress.counts == ImportCounts(applied: 1, unchanged: 0, failed: 1, unprocessed: 3))
      #expect(try await store.imports.applyNext(of: store.business, limit: 2) == .idle)
      let rows = try await store.allRows(of: id)
      #expect(rows.map(\.outcome) == [.applied, .failed, .unprocessed, .unprocessed, .unprocessed])
      #expect(rows[2].orderID == nil)
      let again = try await store.imports.cancel(id, of: store.business, by: mutation)
      #expect(again.progress.sequence == canceled.progress.sequence)
      #expect(try await store.imports.stage(store.chunk(of: id, 6, [.order("E")])) == .notOpen(.canceled))
      await #expect(throws: DomainError.importNotOpen(.canceled)) { try await store.finish(id, rows: 5) }
    }
  }

  @Test("an import without payments and notifications makes no intents")
  func withoutIntents() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport(
        newID(500),
        ImportDescription(sourceName: "f", createsPayments: false, createsNotifications: false))
      try await store.upload([.order("A")], to: id)
      try await store.applyEverything()
      #expect(try await store.count("orders") == 1)
      #expect(try await store.count("payment_intents") == 0)
      #expect(try await store.count("notification_intents") == 0)
    }
  }
}
