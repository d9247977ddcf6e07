import ComandaDomain
import ComandaPostgres
import ComandaStore
import Testing

@Suite("Imports under concurrency and crashes")
struct ImportConcurrencyTests {
  @Test("of two uploaders of one import one wins each chunk, and every row is staged once")
  func twoUploaders() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      let rows = (1...60).map { TestRow.order("A-\($0)") }
      try await withThrowingTaskGroup { group in
        for _ in 0..<2 {
          group.addTask { try await uploadStubbornly(rows, to: id, store) }
        }
        try await group.waitForAll()
      }
      #expect(try await store.progress(of: id).committedRow == 60)
      try await store.finish(id, rows: 60)
      try await store.applyEverything(limit: 25)
      #expect(try await store.progress(of: id).counts.applied == 60)
    }
  }

  @Test("uploaders of different files: the loser is aborted or told of the conflict, never mixed in")
  func uploadersOfDifferentFiles() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      let stagings = try await withThrowingTaskGroup { group in
        for file in 0..<4 {
          group.addTask { try await store.imports.stage(store.chunk(of: id, 1, [.order("F\(file)"), .order("G")])) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(stagings.filter { $0 == .staged(committedRow: 2) }.count == 1)
      #expect(stagings.allSatisfy { [.staged(committedRow: 2), .aborted, .conflict(committedRow: 2)].contains($0) })
    }
  }

  @Test("two appliers never work on one import at once, and on two imports side by side")
  func sideBySide() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...6).map { .order("A-\($0)") }, to: id)
      let other = try await store.createImport(newID(501))
      try await store.upload((1...6).map { .order("B-\($0)") }, to: other)
      try await store.pool.withConnection { connection in
        try await connection.execute(script: "BEGIN")
        let hold = Statement("SELECT 1 FROM import_appliers WHERE import_id = $1 FOR UPDATE")
        _ = try await connection.query(hold, [.uuid(id.uuid)])
        let applied = try await store.applyEverything(limit: 6)
        #expect(applied.count == 1)
        #expect(try await store.progress(of: id).appliedRow == 0)
        #expect(try await store.progress(of: other).appliedRow == 6)
        try await connection.execute(script: "ROLLBACK")
      }
      try await store.applyEverything()
      #expect(try await store.progress(of: id).appliedRow == 6)
    }
  }

  @Test(
    "a server that is frozen in the midst of a chunk holds its import up for some seconds, not for ever",
    .timeLimit(.minutes(1)))
  func frozen() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...6).map { .order("A-\($0)") }, to: id)
      // What a frozen server has: a transaction that holds the import, and never goes on.
      try? await store.pool.withConnection { connection in
        try await connection.execute(script: "BEGIN")
        let hold = Statement("SELECT 1 FROM import_appliers WHERE import_id = $1 FOR UPDATE")
        _ = try await connection.query(hold, [.uuid(id.uuid)])
        while try await store.applyEverything().isEmpty { try await Task.sleep(for: .milliseconds(20)) }
      }
      #expect(try await store.progress(of: id).appliedRow == 6)
    }
  }

  @Test("an import that is canceled while its next chunk is being picked is not applied any further")
  func canceledWhilePicked() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...40).map { .order("A-\($0)") }, to: id, chunkRows: 20)
      try await withThrowingTaskGroup { group in
        for _ in 0..<3 {
          group.addTask {
            while try await store.imports.applyNext(of: store.business, limit: 1) != .idle {}
          }
        }
        group.addTask {
          while try await store.progress(of: id).appliedRow < 3 {}
          let canceled = try await store.imports.cancel(id, of: store.business, by: store.mutation("Cancel"))
          #expect(try await store.count("orders") == canceled.progress.counts.applied)
        }
        try await group.waitForAll()
      }
      let progress = try await store.progress(of: id)
      #expect(try await store.count("orders") == progress.counts.applied)
      #expect(progress.counts.applied + progress.counts.unprocessed == 40)
    }
  }

  @Test("imports of one business take turns: the one that has waited longest is next")
  func turnsOfImports() async throws {
    try await StoreFixture.run { store in
      let ids: [ImportID] = [newID(500), newID(501), newID(502)]
      for id in ids {
        _ = try await store.createImport(id)
        try await store.upload((1...4).map { .order("\(id)-\($0)") }, to: id)
      }
      var turns: [ImportID] = []
      while case .applied(let id, _, _) = try await store.imports.applyNext(of: store.business, limit: 2) {
        turns.append(id)
      }
      #expect(turns == ids + ids)
    }
  }

  @Test("businesses with work are found some at a time, each once a round")
  func sweep() async throws {
    try await StoreFixture.run { store in
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 2) == [])
      let id = try await store.createImport()
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 2) == [])
      try await store.upload([.order("A")], to: id)
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 2) == [store.business])
      #expect(try await store.imports.businessesWithWork(after: store.business, limit: 2) == [])
      try await store.applyEverything()
      #expect(try await store.imports.businessesWithWork(after: nil, limit: 2) == [])
    }
  }

  @Test("appliers that work on the same import apply every row once")
  func manyAppliers() async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      try await store.upload((1...80).map { .order("A-\($0)") }, to: id, chunkRows: 20)
      try await store.finish(id, rows: 80)
      try await withThrowingTaskGroup { group in
        for _ in 0..<3 {
          group.addTask {
            while try await store.progress(of: id).state != .completed {
              _ = try await store.imports.applyNext(of: store.business, limit: 3)
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await store.progress(of: id).counts.applied == 80)
    }
  }

  @Test("imports of one business that share their ids apply side by side; each order is made once")
  func collidingImports() async throws {
    try await StoreFixture.run { store in
      let ids: [ImportID] = [newID(500), newID(501), newID(502)]
      for id in ids {
        _ = try await store.createImport(id)
        try await store.upload((1...40).shuffled().map { .order("A-\($0)") }, to: id, chunkRows: 10)
        try await store.finish(id, rows: 40)
      }
      try await withThrowingTaskGroup { group in
        for id in ids {
          group.addTask {
            while try await store.progress(of: id).state != .completed {
              do {
                _ = try await store.imports.applyNext(of: store.business, limit: 10)
              } catch DomainError.aborted {}
            }
          }
        }
        try await group.waitForAll()
      }
      #expect(try await store.count("orders") == 40)
      var counts = (applied: Int64(0), unchanged: Int64(0))
      for id in ids {
        let progress = try await store.progress(of: id)
        counts.applied += progress.counts.applied
        counts.unchanged += progress.counts.unchanged
      }
      #expect(counts == (40, 80))
    }
  }

  @Test("a server process that dies in the middle of a chunk leaves nothing of it behind", arguments: CrashPoint.all)
  func crashPoints(_ point: CrashPoint) async throws {
    try await StoreFixture.run { store in
      let id = try await store.createImport()
      let rows = (1...8).map { TestRow.order("A-\($0)") }
      try await store.upload(Array(rows.prefix(4)), to: id)
      // From here on, whoever writes to the table dies in the midst of its transaction.
      try await store.execute(point.arm)
      var failures = 0
      do { _ = try await store.imports.stage(store.chunk(of: id, 5, Array(rows.suffix(4)))) } catch { failures += 1 }
      do { _ = try await store.imports.applyNext(of: store.business, limit: 4) } catch { failures += 1 }
      #expect(failures == 1, "the crash point \(point) was not reached exactly once")
      try await store.expectIntegrity()
      try await store.execute(point.disarm)

      let committed = try await store.progress(of: id).committedRow
      if committed == 4 { try await store.upload(Array(rows.suffix(4)), to: id, from: 5) }
      try await store.finish(id, rows: 8)
      try await store.applyEverything()
      #expect(
        try await store.progress(of: id).counts == ImportCounts(applied: 8, unchanged: 0, failed: 0, unprocessed: 0))
      #expect(try await store.count("orders") == 8)
    }
  }

  @Test(
    "random schedules of uploads, repetitions, appliers, calls and deaths keep every promise",
    arguments: 0..<4 as Range<UInt64>)
  func randomSchedules(_ offset: UInt64) async throws {
    let seed = testSeed &+ offset
    try await StoreFixture.run { store in
      var schedule = RandomSchedule(store: store, seed: seed)
      do {
        try await schedule.run()
      } catch {
        Issue.record("COMANDA_TEST_SEED=\(testSeed) fails: \(error)")
      }
    }
  }
}

/// Uploads as a client does that was told to give way: it asks where the import is and goes on there.
private func uploadStubbornly(_ rows: [TestRow], to id: ImportID, _ store: StoreFixture) async throws {
  var next: Int64 = 1
  while next <= Int64(rows.count) {
    let part = Array(rows[(Int(next) - 1)..<min(Int(next) + 2, rows.count)])
    switch try await store.imports.stage(store.chunk(of: id, next, part)) {
    case .staged: next += Int64(part.count)
    case .duplicate: next += Int64(part.count)
    case .aborted, .outOfRange, .conflict: next = try await store.progress(of: id).committedRow + 1
    case let refused: throw UnexpectedStaging(refused)
    }
  }
}

/// A chunk got an answer that the test does not expect.
struct UnexpectedStaging: Error {
  let staging: Staging
  init(_ staging: Staging) { self.staging = staging }
}

/// A table whose next write kills its own server process.
struct CrashPoint: CustomTestStringConvertible, Sendable {
  let table: String
  let event: String

  static let all = [
    CrashPoint(table: "import_rows", event: "INSERT"),
    CrashPoint(table: "import_chunks", event: "INSERT"),
    CrashPoint(table: "imports", event: "UPDATE"),
    CrashPoint(table: "orders", event: "INSERT"),
    CrashPoint(table: "order_items", event: "INSERT"),
    CrashPoint(table: "payment_intents", event: "INSERT"),
    CrashPoint(table: "business_sequences", event: "UPDATE"),
    CrashPoint(table: "order_events", event: "INSERT"),
    CrashPoint(table: "audit_records", event: "INSERT"),
    CrashPoint(table: "import_appliers", event: "UPDATE OF applied_row"),
  ]

  var testDescription: String { "\(event) of \(table)" }

  /// The tests' database is one PostgreSQL, so that a trigger may stand for the crash.
  var arm: String {
    """
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NULL; END';
    CREATE TRIGGER die AFTER \(event) ON \(table) FOR EACH ROW EXECUTE FUNCTION die();
    """
  }

  var disarm: String { "DROP FUNCTION die() CASCADE" }
}
