import ComandaDomain
import ComandaPostgres
import ComandaStore
import FoundationEssentials
import Testing

/// The seed of this run's random tests: that of `COMANDA_TEST_SEED`, else another one each time.
let testSeed: UInt64 =
  ProcessInfo.processInfo.environment["COMANDA_TEST_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// A random sequence of everything that can happen to imports of few ids, checked against a model of a few lines: the
/// first to bring an external id decides its content.
struct RandomSchedule {
  let store: StoreFixture
  private var random: SeededGenerator
  private var files: [ImportID: [TestRow]] = [:]

  init(store: StoreFixture, seed: UInt64) {
    self.store = store
    random = SeededGenerator(seed: seed)
  }

  mutating func run() async throws {
    for number in 0..<3 as Range<UInt64> {
      let id = try await store.createImport(newID(500 + number))
      files[id] = (0..<Int.random(in: 0...40, using: &random)).map { _ in randomRow() }
    }
    for _ in 0..<80 {
      do {
        try await step()
      } catch DomainError.storeUnavailable, DomainError.aborted {
        // Whether the step took effect does not matter: the next ones look where things are.
      }
    }
    try await wind()
  }

  private mutating func randomRow() -> TestRow {
    let name = "A-\(Int.random(in: 0..<25, using: &random))"
    switch Int.random(in: 0..<10, using: &random) {
    case 0: return .unreadable
    case 1: return .bad(name)
    default: return .order(name, variant: Int64.random(in: 0..<2, using: &random))
    }
  }

  private mutating func step() async throws {
    guard let id = files.keys.sorted().randomElement(using: &random) else { return }
    switch Int.random(in: 0..<12, using: &random) {
    case 0...3: try await upload(id)
    case 4...8:
      _ = try await store.imports.applyNext(of: store.business, limit: Int.random(in: 1...9, using: &random))
    case 9:
      let name = "A-\(Int.random(in: 0..<25, using: &random))"
      let order = try store.newOrder(draft(name), id: random.next() >> 8)
      _ = try await store.orders.create(order, in: store.business, by: store.mutation("Create"))
    case 10:
      // Every other connection dies; their pool makes new ones.
      try await store.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        """)
    default: try await applySideBySide()
    }
  }

  /// Two appliers at once.
  private func applySideBySide() async throws {
    let store = store
    async let first = store.imports.applyNext(of: store.business, limit: 5)
    async let second = store.imports.applyNext(of: store.business, limit: 5)
    _ = try await (first, second)
  }

  /// Sends the next chunk, sometimes twice at the same time.
  private mutating func upload(_ id: ImportID) async throws {
    let sent = Int(try await store.progress(of: id).committedRow)
    guard let file = files[id], sent < file.count else { return }
    let count = Int.random(in: 1...min(7, file.count - sent), using: &random)
    let chunk = try store.chunk(of: id, Int64(sent) + 1, Array(file[sent..<(sent + count)]))
    let store = store
    if Bool.random(using: &random) {
      async let first = store.imports.stage(chunk)
      async let second = store.imports.stage(chunk)
      _ = try await (first, second)
    } else {
      _ = try await store.imports.stage(chunk)
    }
  }

  /// Ends every import and compares with what must have become of each row.
  private mutating func wind() async throws {
    // The connections that the last death broke are found out here.
    for _ in 0..<20 { _ = try? await store.count("orders") }
    for (id, file) in files {
      let sent = Int(try await store.progress(of: id).committedRow)
      try await store.upload(Array(file.dropFirst(sent)), to: id, from: Int64(sent) + 1)
      try await store.finish(id, rows: Int64(file.count))
    }
    while !(try await store.imports.businessesWithWork(after: nil, limit: 10)).isEmpty {
      try await store.applyEverything(limit: 7)
    }
    for (id, file) in files {
      let rows = try await store.allRows(of: id, pageSize: 1_000)
      #expect(rows.count == file.count)
      for (row, sent) in zip(rows, file) { try await check(row, sent) }
      #expect(try await store.progress(of: id).state == .completed)
    }
  }

  private func check(_ row: ImportRow, _ sent: TestRow) async throws {
    switch sent {
    case .unreadable, .bad: #expect(row.outcome == .failed)
    case .order(let externalID, let variant):
      #expect(row.externalID == externalID)
      let order = try await store.orders.order(externalID: externalID, of: store.business)
      let content = try draft(externalID, variant: variant).validated(now: store.now)
      switch row.outcome {
      case .applied, .unchanged: #expect(order?.id == row.orderID && order?.content == content)
      case .failed:
        // An earlier row of the file or an order had the id, and other content or none.
        let codes = [RowProblemCode.duplicateInFile, RowProblemCode.alreadyExists]
        #expect(row.problems.first.map { codes.contains($0.code) } == true)
      case .waiting, .unprocessed: Issue.record("row \(row.number) has no outcome")
      }
    }
  }
}
