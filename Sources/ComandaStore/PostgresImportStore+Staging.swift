public import ComandaDomain
import ComandaPostgres

extension PostgresImportStore {
  /// One transaction: look, COPY, remember the chunk, move the watermark.
  ///
  /// Rows that the database refuses are found by halving, with transactions that are rolled back, and staged as failed.
  public func stage(_ chunk: StagedChunk) async throws -> Staging {
    guard !chunk.rows.isEmpty, chunk.rows.count <= StagedChunk.rowLimit else { throw DomainError.fault }
    return try await errors.translating {
      try await pool.withConnection(.imports, for: chunk.businessID.uuid) { connection in
        var chunk = chunk
        // Twice: what a failed row still keeps of itself, its id, may be what is refused.
        for _ in 0..<2 {
          do {
            return try await stageOnce(chunk, on: connection)
          } catch let error as PostgresError where error.isRefusalOfData {
            let tried = chunk
            // bounded: indices of rows, of which there is at least one
            let refused = try await Bisection.refused(in: 0...Int64(chunk.rows.count - 1)) { rows in
              // bounded: within the indices of rows
              try await isRefused(tried.part(Int(rows.lowerBound)..<Int(rows.upperBound) + 1), on: connection)
            }
            guard let refused else { throw error }
            errors.logger.warning(
              "the database refuses rows of an import, which are staged as failed",
              metadata: ["import": "\(chunk.importID)", "rows": "\(refused.count)", "error": "\(error)"])
            for index in refused { chunk.refuse(rowAt: Int(index)) }
          }
        }
        return try await stageOnce(chunk, on: connection)
      }
    }
  }

  private nonisolated(nonsending) func stageOnce(
    _ chunk: StagedChunk, on connection: PostgresConnection
  ) async throws -> Staging {
    do {
      return try await connection.transaction { try await stage(chunk, on: $0) }
    } catch let error as StagingFailure {
      return error.outcome
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
    switch try chunk.compare(with: opening[1]) {  // bounded: each of three statements has a result
    case .next(let committedRow): watermark = committedRow
    case .settled(let outcome): return outcome
    }
    let (failedRows, closing) = try await write(
      chunk, earlier: opening[2], on: connection)  // bounded: as before
    let advance = key + [.int8(watermark), .int8(chunk.lastRow), .int8(Int64(failedRows))]
    let advanced = try await connection.pipeline(closing + [(SQL.stageAdvance, advance)])
    guard advanced.last?.affectedRows == 1 else { throw StagingFailure(outcome: .aborted) }
    return .staged(committedRow: chunk.lastRow)
  }

  /// Copies the rows; returns how many have failed, and the statements that remember the chunk and its ids.
  private nonisolated(nonsending) func write(
    _ chunk: StagedChunk, earlier: QueryResult, on connection: PostgresConnection
  ) async throws -> (failedRows: Int32, closing: [(Statement, [Parameter])]) {
    let key: [Parameter] = [.id(chunk.businessID), .id(chunk.importID)]
    var duplicates = DuplicateFinder(earlier: try earlier.rows.map(DuplicateFinder.Winner.init(row:)))
    let encoded = try EncodedChunk(chunk, duplicates: &duplicates)
    try await copy(encoded.rows, on: connection)
    let remember =
      key + [
        .int8(chunk.firstRow), .int4(Int32(clamping: chunk.rows.count)), .int4(encoded.failedRows),
        .digest(chunk.sha256), .bytes(encoded.source),
      ]
    let keys = key + [.textArray(encoded.firstIDs), .int8Array(encoded.firstIDRows)]
    return (encoded.failedRows, [(SQL.stageChunk, remember), (SQL.stageKeys, keys)])
  }

  /// Whether the database refuses what some rows of a part of a chunk hold. Nothing of the attempt stays.
  private nonisolated(nonsending) func isRefused(
    _ part: StagedChunk, on connection: PostgresConnection
  ) async throws -> Bool {
    do {
      try await connection.transaction { connection in
        let opening = try await connection.pipeline([
          (SQL.settingsLeased, []),
          (SQL.stageEarlier, [.id(part.businessID), .id(part.importID), .textArray(part.externalIDs)]),
        ])
        // bounded: each of two statements has a result
        let (_, closing) = try await write(part, earlier: opening[1], on: connection)
        _ = try await connection.pipeline(closing)
        throw StagingFailure(outcome: .aborted)
      }
    } catch is StagingFailure {
    } catch let error as PostgresError where error.isRefusalOfData {
      return true
    }
    return false
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
      let isSame = try row.digestOrNil(2) == sha256 && row.int32OrNil(3).map { $0 == rows.count } == true
      return .settled(isSame ? .duplicate(committedRow: committedRow) : .conflict(committedRow: committedRow))
    }
    guard state == .receiving else { return .settled(.notOpen(state)) }
    guard firstRow == committedRow + 1 else {  // bounded: the number of a staged row
      return .settled(.outOfRange(committedRow: committedRow))
    }
    return .next(after: committedRow)
  }

  /// Fails a row that the database refuses; one that has failed already keeps nothing that could be refused.
  fileprivate mutating func refuse(rowAt index: Int) {
    let externalID =
      // bounded: an index of rows
      if case .valid(let order, _, _) = rows[index].content { order.externalID } else { "" }
    fail(rowAt: index, externalID: externalID, .notStorable(line: firstLine(ofRowAt: index)))
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
