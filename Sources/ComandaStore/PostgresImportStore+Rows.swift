public import ComandaDomain
import ComandaPostgres

extension PostgresImportStore {
  /// Failed and unchanged rows come out of an index that holds nothing else.
  public func rows(
    of id: ImportID, of business: BusinessID, outcomes: Set<RowOutcome>, page: PageRequest<Int64>
  ) async throws -> Page<ImportRow, Int64> {
    try await errors.translatingReport {
      try await pool.withConnection(.reports, for: business.uuid) { connection in
        let key: [Parameter] = [.id(business), .id(id)]
        // bounded: a page has at most 1,000 rows
        let place: [Parameter] = [.int8(page.after ?? 0), .int8(Int64(page.size) + 1)]
        let wanted = outcomes.isEmpty ? Set(RowOutcome.allCases) : outcomes
        let numbers = Parameter.int2Array(wanted.map(\.rawValue).sorted())
        guard let progress = try await connection.query(SQL.importProgress, key).rows.first?.importProgress() else {
          throw DomainError.notFound(.import, id: "\(id)")
        }
        let result =
          if wanted.isSubset(of: [.unchanged, .failed]) {
            try await connection.query(SQL.importExceptions, key + place + [numbers])
          } else {
            try await connection.query(
              SQL.importRows, key + place + [.int8(progress.appliedRow), .bool(progress.state.isFinal), numbers])
          }
        let rows = try result.rows.prefix(page.size).map { try $0.importRow() }
        let listed = try result.rows.first?.int64(9) ?? 0
        return Page(elements: rows, next: listed > rows.count ? rows.last?.number : nil)
      }
    }
  }
}

extension Row {
  /// Reads the columns of `import_rows.sql` and `import_exceptions.sql`, which are the same.
  fileprivate func importRow() throws -> ImportRow {
    let outcome: RowOutcome = try value(1)
    return ImportRow(
      number: try int64(0), outcome: outcome, externalID: try text(2), orderID: try orderID(outcome),
      problems: outcome == .failed ? try rowProblems() : [],
      source: try bytesOrNil(8).map { try known(SourceLines.read($0)) } ?? [])
  }

  /// The id that a row keeps for its order means nothing before the order is there.
  private func orderID(_ outcome: RowOutcome) throws -> OrderID? {
    outcome == .applied || outcome == .unchanged ? try idOrNil(3) : nil
  }

  private func rowProblems() throws -> [RowProblem] {
    let fields = try textArray(4)
    let codes = try textArray(5)
    let messages = try textArray(6)
    let lines = try int64Array(7)
    guard [codes.count, messages.count, lines.count].allSatisfy({ $0 == fields.count }) else {
      throw UnknownStoredValue()
    }
    return try fields.indices.map { index in
      RowProblem(
        // bounded: each list has as many elements as fields
        field: try known(fields[index]), code: try known(codes[index]), message: try known(messages[index]),
        line: lines[index])  // bounded: as before
    }
  }
}
