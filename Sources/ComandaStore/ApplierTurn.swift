import ComandaDomain
import ComandaPostgres
import Logging

/// One turn of a business at an applier: the next rows of one of its imports, in one transaction, and what is done when
/// the database refuses them.
///
/// - The database is away, or another writer is in the way: that is nobody's fault, and thrown.
/// - It refuses what rows hold (``PostgresError/isRefusalOfData``): the rows are found by halving, with transactions that
///   are rolled back; then one transaction fails them and applies the others.
/// - Anything else, and too many refused rows, which are hardly the rows' fault: it is counted as a fault of the import.
struct ApplierTurn {
  let business: BusinessID
  let limit: Int
  let connection: PostgresConnection
  let logger: Logger

  nonisolated(nonsending) func run() async throws -> Application {
    var picked: PickedImport?
    do {
      return try await connection.transaction { connection in
        guard let work = try await PickedImport(of: business, on: connection) else { return .idle }
        picked = work
        return try await ChunkApplication(work: work, connection: connection).run(work.rows(limit: limit))
      }
    } catch {
      guard let picked else { throw error }
      return try await applyWithoutRefused(picked, because: error)
    }
  }

  private nonisolated(nonsending) func applyWithoutRefused(
    _ work: PickedImport, because error: any Error
  ) async throws -> Application {
    guard let rows = work.rows(limit: limit), (error as? PostgresError)?.isRefusalOfData == true else {
      return try await countFault(of: work, error)
    }
    do {
      let refused = try await Bisection.refused(in: rows) { try await isRefused($0, of: work) }
      guard let refused else { return try await countFault(of: work, error) }
      logger.warning(
        "the database refuses rows of an import, which fail",
        metadata: ["import": "\(work.id)", "rows": "\(refused.count)", "error": "\(error)"])
      return try await connection.transaction { connection in
        guard try await work.hold(on: connection) else { return .idle }
        return try await ChunkApplication(work: work, connection: connection).run(rows, refused: refused)
      }
    } catch {
      return try await countFault(of: work, error)
    }
  }

  /// Whether the database refuses what some of the rows hold. Nothing of the attempt stays.
  private nonisolated(nonsending) func isRefused(
    _ rows: ClosedRange<Int64>, of work: PickedImport
  ) async throws -> Bool {
    do {
      try await connection.transaction { connection in
        // Whoever has taken over the import meanwhile finds out by himself.
        guard try await work.hold(on: connection) else { throw DomainError.aborted }
        _ = try await ChunkApplication(work: work, connection: connection, commits: false).run(rows)
        throw Attempted()
      }
    } catch is Attempted {
    } catch let error as PostgresError where error.isRefusalOfData {
      return true
    }
    return false
  }

  private nonisolated(nonsending) func countFault(
    of work: PickedImport, _ error: any Error
  ) async throws -> Application {
    guard Self.isFault(error) else { throw error }
    // An error's description holds no data.
    logger.error("a chunk of an import failed", metadata: ["import": "\(work.id)", "error": "\(error)"])
    let counted = try await connection.query(
      SQL.applyFault,
      [
        .id(business), .id(work.id), .int4(Int32(clamping: ImportFaults.limit)), .float8(ImportFaults.firstPause),
        .float8(ImportFaults.longestPause), .float8(Double.random(in: 0...1)),
      ])
    // No row: it was canceled meanwhile.
    return .faulted(work.id, isParked: try counted.rows.first?.bool(0) ?? false)
  }

  /// Whether an error is no matter of who can be reached, what is free or who was faster.
  private static func isFault(_ error: any Error) -> Bool {
    switch error {
    case let error as PostgresError: !error.passesByItself
    case let error as DomainError: error == .fault
    case is UnknownStoredValue: true
    default: false
    }
  }
}

/// Leaves an attempt, so that it is rolled back.
private struct Attempted: Error {}

/// The import that a turn serves, as it was when it was picked.
struct PickedImport {
  let id: ImportID
  let business: BusinessID
  let appliedRow: Int64
  let committedRow: Int64
  let isSealed: Bool
  let createdBy: TokenID
  let createsPayments: Bool
  let createsNotifications: Bool

  /// Picks one and holds it until the transaction ends; nil when there is nothing to do.
  nonisolated(nonsending) init?(of business: BusinessID, on connection: PostgresConnection) async throws {
    let opening = try await connection.pipeline([
      (SQL.settingsLeased, []),
      (SQL.applySettings, []),
      (SQL.applyPick, [.id(business)]),
    ])
    guard let row = opening.last?.rows.first else { return nil }
    self.business = business
    id = try row.id(0)
    appliedRow = try row.int64(1)
    committedRow = try row.int64(2)
    isSealed = try row.value(3, ImportState.self) == .applying
    createdBy = try row.id(4)
    createsPayments = try row.bool(5)
    createsNotifications = try row.bool(6)
  }

  /// Holds it in another transaction; false when it has moved or ended meanwhile, or somebody else has it.
  nonisolated(nonsending) func hold(on connection: PostgresConnection) async throws -> Bool {
    let opening = try await connection.pipeline([
      (SQL.settingsLeased, []),
      (SQL.applySettings, []),
      (SQL.applyHold, [.id(business), .id(id), .int8(appliedRow)]),
    ])
    return opening.last?.rows.isEmpty == false
  }

  /// The rows to apply next; nil when all are applied.
  func rows(limit: Int) -> ClosedRange<Int64>? {
    guard appliedRow < committedRow else { return nil }
    let count = min(Int64(max(limit, 1)), committedRow - appliedRow)  // bounded: both are numbers of staged rows
    return appliedRow + 1...appliedRow + count  // bounded: by committedRow
  }
}
