import ComandaDomain
import ComandaPostgres

/// Applies the next rows of an import inside of one transaction: four round trips, whatever the number of rows.
///
/// 1. Lock the applier's row, which proves the lease, and learn what is to be done.
/// 2. Insert the orders. External ids that are taken insert nothing.
/// 3. Only where that happened, or where the chunk has duplicates: settle those rows, so that the valid rows of the chunk
///    are from here on exactly those that became orders.
/// 4. Insert what belongs to the orders; take the business's sequence numbers, which other writers of the business wait
///    for; number the history; audit; move the watermark.
struct ChunkApplication {
  let lease: ImportLease
  let limit: Int
  let seconds: Int
  let connection: PostgresConnection

  private var key: [Parameter] { [.id(lease.businessID), .id(lease.importID)] }

  nonisolated(nonsending) func run() async throws -> Application {
    let opening = try await connection.pipeline([
      (SQL.settingsLeased, []),
      (SQL.applyLock, key + [.int8(lease.fence)]),
    ])
    guard let row = opening[1].rows.first else { return .leaseLost }
    let work = try Work(row)
    let first = work.appliedRow + 1
    let last = min(work.committedRow, work.appliedRow + Int64(max(limit, 1)))
    if first <= last {
      return try await apply(first...last, work)
    }
    guard work.isSealed else { return .idle }
    let closing = try await connection.pipeline([(SQL.applyComplete, key), (SQL.importProgress, key)])
    return .ended(try progress(closing))
  }

  private nonisolated(nonsending) func apply(_ rows: ClosedRange<Int64>, _ work: Work) async throws -> Application {
    let chunk = key + [.int8(rows.lowerBound), .int8(rows.upperBound)]
    var counts = try await insertOrders(chunk)
    if counts.inserted < counts.valid || counts.duplicates > 0 {
      try await settle(chunk, &counts)
    }
    var closing: [(Statement, [Parameter])] = []
    if counts.inserted > 0 {
      closing.append((SQL.applyItems, chunk))
      if work.createsPayments { closing.append((SQL.applyPayments, chunk)) }
      if work.createsNotifications { closing.append((SQL.applyNotifications, chunk)) }
    }
    closing += [
      (SQL.applyCounter, chunk),
      (SQL.applyEvents, chunk + [.id(work.createdBy)]),
      (SQL.applyAudit, chunk + [.id(work.createdBy), .text("apply")]),
      (
        SQL.applyAdvance,
        key + [
          .int8(rows.upperBound), .int8(counts.inserted), .int8(counts.unchanged), .int8(counts.failed),
          .float8(Double(seconds)),
        ]
      ),
    ]
    let isLast = work.isSealed && rows.upperBound == work.committedRow
    if isLast { closing.append((SQL.applyComplete, key)) }
    closing.append((SQL.importProgress, key))
    let progress = try progress(try await connection.pipeline(closing))
    return isLast ? .ended(progress) : .applied(rows: rows.count, progress)
  }

  private nonisolated(nonsending) func insertOrders(_ chunk: [Parameter]) async throws -> Counts {
    let results = try await connection.pipeline([(SQL.applyVerdicts, chunk), (SQL.applyOrders, chunk)])
    let verdicts = try known(results[0].rows.first)
    return Counts(
      valid: try verdicts.int64(0), duplicates: try verdicts.int64(1), inserted: Int64(results[1].affectedRows))
  }

  /// First the rows whose id was taken, since duplicates share the end of those.
  private nonisolated(nonsending) func settle(_ chunk: [Parameter], _ counts: inout Counts) async throws {
    let message =
      "external_id is that of an order that exists with other content; "
      + "give the order another id, or leave it out if it was corrected on purpose"
    let results = try await connection.pipeline([
      (SQL.applyConflicts, chunk + [.text(RowProblemCode.alreadyExists), .text(message)]),
      (SQL.applyDuplicates, chunk),
    ])
    for row in results.flatMap(\.rows) {
      switch try row.value(0, Verdict.self) {
      case .failed: counts.failed += 1
      case .unchanged, .valid, .duplicate: counts.unchanged += 1
      }
    }
    guard counts.inserted + counts.unchanged + counts.failed == counts.valid + counts.duplicates else {
      // A row with a taken id whose order is gone again: the next attempt inserts it.
      throw DomainError.aborted
    }
  }

  private func progress(_ results: [QueryResult]) throws -> ImportProgress {
    try known(results.last?.rows.first).importProgress()
  }

  /// What the first round trip says.
  private struct Work {
    let appliedRow: Int64
    let committedRow: Int64
    let isSealed: Bool
    let createdBy: TokenID
    let createsPayments: Bool
    let createsNotifications: Bool

    init(_ row: Row) throws {
      appliedRow = try row.int64(0)
      committedRow = try row.int64(1)
      isSealed = try row.value(2, ImportState.self) == .applying
      createdBy = try row.id(3)
      createsPayments = try row.bool(4)
      createsNotifications = try row.bool(5)
    }
  }

  private struct Counts {
    let valid: Int64
    let duplicates: Int64
    let inserted: Int64
    var unchanged: Int64 = 0
    var failed: Int64 = 0
  }
}
