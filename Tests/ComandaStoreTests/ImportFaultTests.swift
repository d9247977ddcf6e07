import ComandaDomain
import ComandaStore
import Testing

/// What the database refuses, through the real one: the tests' database is one PostgreSQL, so that a trigger may stand
/// for whatever makes it refuse.
@Suite("Rows and chunks that the database refuses")
struct ImportFaultTests {
  @Test(
    "a row that the database refuses when it is applied fails alone, and shares that with what repeats it",
    arguments: [
      "ALTER TABLE orders ADD CONSTRAINT refuse CHECK (external_id <> 'A-5')",
      refusal(of: "orders", when: "NEW.external_id = 'A-5'", sqlState: "22003"),
      refusal(of: "order_items", when: "NEW.total = 905", sqlState: "54000"),
    ])
  func oneRowAtApplying(_ refuse: String) async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      var rows = (1...20).map { TestRow.order("A-\($0)", variant: Int64($0)) }
      rows.append(.order("A-5", variant: 5))
      try await store.upload(rows, to: id, chunkRows: 7)
      try await store.finish(id, rows: 21)
      try await store.execute(refuse)
      try await store.applyEverything(limit: 10)

      let found = try await store.allRows(of: id)
      #expect(found.filter { $0.outcome == .failed }.map(\.number) == [5, 21])
      #expect(found[4].problems == [.notStorable(line: 10)] && found[4].orderID == nil)
      #expect(found[20].problems == [.notStorable(line: 42)])
      let progress = try await store.progress(of: id)
      #expect(progress.state == .completed)
      #expect(progress.counts == ImportCounts(applied: 19, unchanged: 0, failed: 2, unprocessed: 0))
      #expect(try await store.count("orders") == 19)
    }
  }

  @Test("a row that the database refuses when it is staged is staged as failed, and its chunk with it")
  func oneRowAtStaging() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.execute(Self.refusal(of: "import_rows", when: "NEW.total = 1307"))
      let rows: [TestRow] = [.order("A-1"), .order("A-2", variant: 7), .order("A-3"), .order("A-2")]
      try await store.upload(rows, to: id)
      try await store.finish(id, rows: 4)
      try await store.applyEverything()
      let found = try await store.allRows(of: id)
      #expect(found.map(\.outcome) == [.applied, .failed, .applied, .failed])
      #expect(found[1].problems == [.notStorable(line: 4)] && found[1].externalID == "A-2")
      #expect(found[1].source.map(\.line) == [4, 5])
      #expect(found[3].problems.map(\.code) == [RowProblemCode.duplicateInFile])
    }
  }

  @Test("a row whose very id the database refuses is staged without it")
  func idAtStaging() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.execute("ALTER TABLE import_keys ADD CONSTRAINT refuse CHECK (external_id <> 'A-2')")
      try await store.upload([.order("A-1"), .order("A-2"), .bad("A-2")], to: id)
      try await store.finish(id, rows: 3)
      try await store.applyEverything()
      let found = try await store.allRows(of: id)
      #expect(found.map(\.outcome) == [.applied, .failed, .failed])
      #expect(found.map(\.externalID) == ["A-1", "", ""])
    }
  }

  @Test(
    "an import that cannot be applied is parked after some faults, holds up no other, and goes on when it is resumed")
  func parked() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...8).map { .order("A-\($0)") }, to: id)
      try await store.execute(Self.refusal(of: "order_items", when: "true", sqlState: "P0001"))
      for fault in 1...ImportFaults.limit {
        // The pause after a fault is not this test's matter.
        try await store.execute("UPDATE import_appliers SET retry_at = NULL")
        let outcome = try await store.imports.applyNext(of: store.business, limit: 3)
        #expect(outcome == .faulted(id, isParked: fault == ImportFaults.limit))
      }
      #expect(try await store.imports.applyNext(of: store.business, limit: 3) == .idle)
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 10) == [])
      let parked = try #require(try await store.imports.find(id, of: store.business))
      #expect(parked.progress.state == .faulted && parked.progress.appliedRow == 0 && parked.endedAt == nil)
      #expect(try await store.progress(of: id).state == .faulted)
      for (states, ids) in [([.faulted], [id]), ([.receiving], [])] as [(Set<ImportState>, [ImportID])] {
        let page = try await store.imports.list(
          states: states, group: "", of: store.business, page: PageRequest(size: 9))
        #expect(page.elements.map(\.id) == ids)
      }

      // Rows may still come, and be sealed.
      try await store.upload([.order("A-9")], to: id, from: 9)
      #expect(try await store.finish(id, rows: 9).progress.state == .faulted)

      try await store.execute("DROP FUNCTION refuse() CASCADE")
      let mutation = try store.mutation("Resume", request: "r-1", content: 1)
      let resumed = try await store.imports.resume(id, of: store.business, by: mutation)
      #expect(resumed.progress.state == .applying && resumed.progress.sequence > parked.progress.sequence)
      let again = try await store.imports.resume(id, of: store.business, by: mutation)
      #expect(again.progress.sequence == resumed.progress.sequence)
      try await store.applyEverything()
      #expect(
        try await store.progress(of: id).counts == ImportCounts(applied: 9, unchanged: 0, failed: 0, unprocessed: 0))
      #expect(try await store.count("orders") == 9)
      await #expect(throws: DomainError.importNotOpen(.completed)) {
        try await store.imports.resume(id, of: store.business, by: store.mutation("Resume"))
      }
    }
  }

  @Test("an import of which the database refuses everything is parked, and none of its rows is blamed")
  func refusedAsAWhole() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...40).map { .order("A-\($0)") }, to: id, chunkRows: 40)
      try await store.execute("ALTER TABLE orders ADD CONSTRAINT refuse CHECK (false)")
      #expect(try await store.imports.applyNext(of: store.business, limit: 40) == .faulted(id, isParked: false))
      #expect(try await store.allRows(of: id).allSatisfy { $0.outcome == .waiting })
      try await store.execute("ALTER TABLE orders DROP CONSTRAINT refuse; UPDATE import_appliers SET retry_at = NULL")
      try await store.applyEverything(limit: 40)
      #expect(try await store.progress(of: id).counts.applied == 40)
    }
  }

  @Test("a faulted import that is canceled is canceled, and faults are forgotten once a chunk succeeds")
  func canceledAndForgotten() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...4).map { .order("A-\($0)") }, to: id)
      try await store.execute(Self.refusal(of: "orders", when: "NEW.external_id = 'A-3'", sqlState: "P0001"))
      #expect(try await store.imports.applyNext(of: store.business, limit: 4) == .faulted(id, isParked: false))
      #expect(try await store.count("import_appliers WHERE faults = 1 AND retry_at IS NOT NULL") == 1)
      try await store.execute("UPDATE import_appliers SET retry_at = NULL")
      _ = try await store.imports.applyNext(of: store.business, limit: 2)
      #expect(try await store.count("import_appliers WHERE faults = 0 AND retry_at IS NULL") == 1)
      for _ in 1...ImportFaults.limit {
        _ = try await store.imports.applyNext(of: store.business, limit: 2)
        try await store.execute("UPDATE import_appliers SET retry_at = NULL")
      }
      #expect(try await store.progress(of: id).state == .faulted)
      let canceled = try await store.imports.cancel(id, of: store.business, by: store.mutation("Cancel"))
      #expect(canceled.progress.state == .canceled)
      #expect(canceled.progress.counts == ImportCounts(applied: 2, unchanged: 0, failed: 0, unprocessed: 2))
      await #expect(throws: DomainError.importNotOpen(.canceled)) {
        try await store.imports.resume(id, of: store.business, by: store.mutation("Resume"))
      }
      await #expect(throws: DomainError.notFound(.import, id: "\(newID(599) as ImportID)")) {
        try await store.imports.resume(newID(599), of: store.business, by: store.mutation("Resume"))
      }
    }
  }

  /// A trigger that refuses what fulfils the condition.
  private static func refusal(of table: String, when condition: String, sqlState: String = "22023") -> String {
    """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN
        IF \(condition) THEN RAISE EXCEPTION 'refused' USING ERRCODE = '\(sqlState)'; END IF;
        RETURN NEW;
      END$$;
    CREATE TRIGGER refuse BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION refuse();
    """
  }
}
