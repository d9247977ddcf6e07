import ComandaDomain
import ComandaPostgres

/// Applies rows of an import inside of the transaction that holds it: two or three round trips, whatever their number.
///
/// 1. Insert the orders. External ids that are taken insert nothing.
/// 2. Only where that happened, or where the chunk has duplicates: settle those rows, so that the valid rows of the chunk
///    are from here on exactly those that became orders.
/// 3. Insert what belongs to the orders; take the business's sequence numbers, which other writers of the business wait
///    for; number the history; audit; move the watermark.
struct ChunkApplication {
  let work: PickedImport
  let connection: PostgresConnection
  /// Whether it ends the transaction, with its last statements; else that is left to the caller.
  var commits = true

  private var key: [Parameter] { [.id(work.business), .id(work.id)] }

  /// Applies the rows, or records the end of an import that has none left.
  ///
  /// - Parameter refused: Those of the rows that fail, since the database refuses them.
  nonisolated(nonsending) func run(_ rows: ClosedRange<Int64>?, refused: [Int64] = []) async throws -> Application {
    if let rows { return try await apply(rows, refused) }
    return .ended(work.id, try await finish(ending))
  }

  /// What records that a sealed import has no rows left.
  private var ending: [(Statement, [Parameter])] {
    [(SQL.applyComplete, key), (SQL.importClose, key)]
  }

  private nonisolated(nonsending) func apply(
    _ rows: ClosedRange<Int64>, _ refused: [Int64]
  ) async throws -> Application {
    let chunk = key + [.int8(rows.lowerBound), .int8(rows.upperBound)]
    let refusedRows = try await fail(refused)
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
          .int8(rows.upperBound), .int8(counts.inserted), .int8(counts.unchanged),
          .int8(counts.failed + refusedRows),  // bounded: by the rows of the chunk
        ]
      ),
    ]
    let isLast = work.isSealed && rows.upperBound == work.committedRow
    if isLast { closing += ending }
    let progress = try await finish(closing)
    return isLast ? .ended(work.id, progress) : .applied(work.id, rows: rows.count, progress)
  }

  /// Fails rows that the database refuses; returns how many there were.
  private nonisolated(nonsending) func fail(_ refused: [Int64]) async throws -> Int64 {
    if refused.isEmpty { return 0 }
    let problem = RowProblem.notStorable(line: nil)
    let result = try await connection.query(
      SQL.applyRefused,
      key + [.int8Array(refused), .text(problem.field), .text(problem.code), .text(problem.message)])
    return Int64(clamping: result.affectedRows)
  }

  private nonisolated(nonsending) func insertOrders(_ chunk: [Parameter]) async throws -> Counts {
    let results = try await connection.pipeline([(SQL.applyVerdicts, chunk), (SQL.applyOrders, chunk)])
    let verdicts = try known(results.first?.rows.first)
    return Counts(
      valid: try verdicts.int64(0), duplicates: try verdicts.int64(1),
      inserted: Int64(clamping: try known(results.last).affectedRows))
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
      case .failed: counts.failed += 1  // bounded: by the rows of the chunk
      case .unchanged, .valid, .duplicate: counts.unchanged += 1  // bounded: by the rows of the chunk
      }
    }
    // bounded: by the rows of the chunk
    guard counts.inserted + counts.unchanged + counts.failed == counts.valid + counts.duplicates else {
      // A row with a taken id whose order is gone again: the next attempt inserts it.
      throw DomainError.aborted
    }
  }

  /// Runs the last statements; returns what they have come to. From the first of them to the commit the business's
  /// other writers wait, so both go together: should this process freeze, the database ends the transaction by itself.
  private nonisolated(nonsending) func finish(
    _ closing: [(Statement, [Parameter])]
  ) async throws -> ImportProgress {
    let closing = closing + [(SQL.importProgress, key)]
    let results = try await commits ? connection.commit(with: closing) : connection.pipeline(closing)
    return try known(results.last?.rows.first).importProgress()
  }

  private struct Counts {
    let valid: Int64
    let duplicates: Int64
    let inserted: Int64
    var unchanged: Int64 = 0
    var failed: Int64 = 0
  }
}
