import ComandaDomain
import ComandaStore
import Testing

@testable import ComandaServices

/// The background worker over the real store.
@Suite("The applier of imports")
struct ImportApplierTests {
  /// Runs an applier for as long as the body does.
  private func withApplier(_ store: StoreFixture, _ body: (ImportQueue) async throws -> Void) async throws {
    let queue = ImportQueue()
    let applier = ImportApplier(imports: store.imports, queue: queue, news: ImportNews(), logger: silentLogger)
    try await withThrowingTaskGroup { group in
      group.addTask { await applier.run() }
      try await body(queue)
      group.cancelAll()
    }
  }

  private func waitFor(_ state: ImportState, of id: ImportID, _ store: StoreFixture) async throws {
    while try await store.progress(of: id).state != state { try await Task.sleep(for: .milliseconds(5)) }
  }

  @Test("an import that cannot be applied holds up no other, and ends well once it is mended and resumed")
  func faulted() async throws {
    try await StoreFixture.run { store in
      let broken = try await store.createImport(newID(500))
      try await store.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
        CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW
          WHEN (NEW.external_id LIKE 'X-%') EXECUTE FUNCTION refuse();
        """)
      try await store.upload((1...8).map { .order("X-\($0)") }, to: broken)
      try await store.finish(broken, rows: 8)
      let other = try await store.asAnotherBusiness()
      let sound = try await other.createImport(newID(501))
      try await other.upload((1...8).map { .order("A-\($0)") }, to: sound)
      try await other.finish(sound, rows: 8)

      try await withApplier(store) { _ in
        try await waitFor(.completed, of: sound, other)
        try await waitFor(.faulted, of: broken, store)
        #expect(try await store.count("orders") == 8)
        try await store.execute("DROP FUNCTION refuse() CASCADE")
        _ = try await store.imports.resume(broken, of: store.business, by: store.mutation("Resume"))
        try await waitFor(.completed, of: broken, store)
      }
      #expect(try await store.progress(of: broken).counts.applied == 8)
      #expect(try await store.count("orders") == 16)
    }
  }

  @Test("a small import waits for no more than a chunk of another business at each worker, whatever that has to do")
  func fairness() async throws {
    try await StoreFixture.run { store in
      // Each chunk of A takes a good while of the database's time.
      try await store.execute(
        """
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.03); RETURN NULL; END';
        CREATE TRIGGER dawdle AFTER UPDATE OF applied_row ON import_appliers FOR EACH ROW
          WHEN (NEW.business_id = '\(store.business)') EXECUTE FUNCTION dawdle();
        """)
      for number in 500..<504 as Range<UInt64> {
        let id = try await store.createImport(newID(number))
        try await store.upload((1...3_000).map { .order("\(number)-\($0)") }, to: id, chunkRows: 1_000)
      }
      let other = try await store.asAnotherBusiness()
      let small = try await other.createImport(newID(600))
      try await withApplier(store) { queue in
        while try await store.count("audit_records WHERE method = 'apply'") < 2 {}
        try await other.upload((1...10).map { .order("A-\($0)") }, to: small, chunkRows: 10)
        queue.rowsArrived(of: other.business)
        try await other.finish(small, rows: 10)
        queue.rowsArrived(of: other.business)
        try await waitFor(.completed, of: small, other)
      }
      // It needed two turns, one for its rows and one for its end, when the seal came after the rows were applied. Before
      // each of them, a worker may have been at a chunk of A's, and A may have been next.
      let chunks = try await store.count(
        """
        audit_records r
        JOIN imports i ON i.business_id = '\(other.business)' AND i.import_id = '\(small)'
        WHERE r.business_id = '\(store.business)' AND r.method = 'apply'
          AND r.occurred_at BETWEEN i.sealed_at AND i.ended_at
        """)
      #expect(chunks <= 2 * (Int64(ImportApplier.workers) + 1), "\(chunks) chunks of another business came before it")
    }
  }
}
