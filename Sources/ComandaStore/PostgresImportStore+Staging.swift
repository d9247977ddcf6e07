public import ComandaDomain
import ComandaPostgres

extension PostgresImportStore {
  /// One transaction: look, COPY, remember the chunk, move the watermark.
  public func stage(_ chunk: StagedChunk) async throws -> Staging {
    guard (1...StagedChunk.rowLimit).contains(chunk.rows.count) else { throw DomainError.fault }
    return try await errors.translating {
      do {
        return try await pool.withConnection { connection in
          try await connection.transaction { try await stage(chunk, on: $0) }
        }
      } catch let error as StagingFailure {
        return error.outcome
      }
    }
  }

  private nonisolated(nonsending) func stage(
    _ chunk: StagedChunk, on connection: PostgresConnection
  ) async throws -> Staging {
    let key: [Parameter] = [.id(chunk.businessID), .id(chunk.importID)]
    let opening = try await connection.pipeline([
      (SQL.settingsLeased, []),
      (SQL.stageLook, key + [.int8(chunk.firstRow)]),
      (SQL.stageEarlier, key + [.textArray(chunk.externalIDs)]),
    ])
    let watermark: Int64
    switch try chunk.compare(with: opening[1]) {
    case .next(let committedRow): watermark = committedRow
    case .settled(let outcome): return outcome
    }
    var duplicates = DuplicateFinder(earlier: try opening[2].rows.map(DuplicateFinder.Winner.init(row:)))
    let encoded = try EncodedChunk(chunk, duplicates: &duplicates)
    try await copy(encoded.rows, on: connection)
    let closing = try await connection.pipeline([
      (
        SQL.stageChunk,
        key + [
          .int8(chunk.firstRow), .int4(Int32(clamping: chunk.rows.count)), .int4(encoded.failedRows),
          .digest(chunk.sha256), .bytes(encoded.source),
        ]
      ),
      (SQL.stageKeys, key + [.textArray(encoded.firstIDs), .int8Array(encoded.firstIDRows)]),
      (
        SQL.stageAdvance,
        key + [.int8(watermark), .int8(chunk.lastRow), .int8(Int64(encoded.failedRows))]
      ),
    ])
    guard closing.last?.affectedRows == 1 else { throw StagingFailure(outcome: .aborted) }
    return .staged(committedRow: chunk.lastRow)
  }

  /// Copies the rows. That they are there already means that another uploader has committed them since this transaction
  /// looked; on Citus such an error has the state XX000.
  private nonisolated(nonsending) func copy(
    _ rows: CopyBinaryEncoder, on connection: PostgresConnection
  ) async throws {
    var rows = rows
    do {
      _ = try await connection.copyIn(SQL.stageRows) { try await $0.write(&rows) }
    } catch let error as PostgresError where error.sqlState == .uniqueViolation || error.sqlState == .internalError {
      throw StagingFailure(outcome: .aborted)
    }
  }
}

extension SQLState {
  /// XX000: what Citus answers to a violation inside of a COPY.
  fileprivate static let internalError = SQLState("XX000")
}

/// Leaves the transaction, so that it is rolled back.
private struct StagingFailure: Error {
  let outcome: Staging
}

extension StagedChunk {
  /// Where a chunk stands to what is durable.
  fileprivate enum Position {
    /// It comes next after this row.
    case next(after: Int64)
    /// Nothing is to be done.
    case settled(Staging)
  }

  /// Reads the result of `stage_look.sql`.
  fileprivate func compare(with result: QueryResult) throws -> Position {
    guard let row = result.rows.first else { return .settled(.notFound) }
    let state: ImportState = try row.value(0)
    let committedRow = try row.int64(1)
    if lastRow <= committedRow {
      let isSame = try row.digestOrNil(2) == sha256 && row.int32OrNil(3).map(Int.init) == rows.count
      return .settled(isSame ? .duplicate(committedRow: committedRow) : .conflict(committedRow: committedRow))
    }
    guard state == .receiving else { return .settled(.notOpen(state)) }
    guard firstRow == committedRow + 1 else { return .settled(.outOfRange(committedRow: committedRow)) }
    return .next(after: committedRow)
  }

  /// The external ids of the rows that have one.
  fileprivate var externalIDs: [String] {
    rows.compactMap { $0.content.externalID.isEmpty ? nil : $0.content.externalID }
  }
}

extension StagedRow.Content {
  /// The sender's id; empty when it is not known.
  var externalID: String {
    switch self {
    case .valid(let order, _, _): order.externalID
    case .failed(let externalID, _): externalID
    }
  }
}
