public import ComandaDomain
import ComandaPostgres
import FoundationEssentials

extension PostgresImportStore {
  /// The import and its applier's row, once for each request id. The business's counter comes first and not last, as it
  /// does elsewhere, because the number of its imports is counted under it.
  public func create(
    _ id: ImportID, _ description: ImportDescription, in business: BusinessID, by mutation: Mutation
  ) async throws -> Import {
    try await errors.translating {
      do {
        return try await pool.withConnection(for: business.uuid) { connection in
          try await connection.transaction { connection in
            switch try await connection.claim(mutation, in: business, response: id.uuid) {
            case .repeated(let earlier):
              return try await connection.find(ImportID(earlier), of: business)
            case .first:
              let audit = audit(mutation, of: id.uuid, in: business)
              let limit = Import.unfinishedLimit
              let counting = try await connection.pipeline(
                audit.prefix(1) + [(SQL.importUnfinished, [.id(business), .int8(Int64(clamping: limit))])])
              guard try known(counting.last?.rows.first).int64(0) < limit else {
                throw DomainError.tooManyUnfinishedImports(limit: limit)
              }
              return try await connection.commit(
                [
                  (SQL.importCreate, description.parameters(id, business, mutation)),
                  (SQL.importCreateApplier, [.id(business), .id(id)]),
                ] + audit.dropFirst(), andFind: id, of: business)
            }
          }
        }
      } catch let error as PostgresError where error.sqlState == .foreignKeyViolation {
        throw DomainError.notFound(.business, id: "\(business)")
      }
    }
  }

  /// Locks the uploader's row only, so that applying goes on meanwhile.
  public func finish(
    _ id: ImportID, totalRows: Int64, fileSHA256: SHA256Digest, of business: BusinessID, by mutation: Mutation
  ) async throws -> Import {
    try await errors.translating {
      try await pool.withConnection(for: business.uuid) { connection in
        try await connection.transaction { connection in
          let (state, committedRow, knownFile) = try await connection.lock(id, of: business)
          guard state != .canceled else { throw DomainError.importNotOpen(state) }
          guard totalRows == committedRow else {
            throw DomainError.finishMismatch(totalRows: totalRows, committedRow: committedRow)
          }
          guard knownFile == nil || knownFile == fileSHA256 else { throw DomainError.fileDiffers }
          guard state == .receiving else { return try await connection.find(id, of: business) }
          return try await connection.commit(
            [(SQL.importSeal, [.id(business), .id(id), .digest(fileSHA256)])]
              + audit(mutation, of: id.uuid, in: business, detail: #"{"rows":\#(totalRows)}"#),
            andFind: id, of: business)
        }
      }
    }
  }

  /// Waits for the chunk that is being applied, then bars the applier.
  public func cancel(_ id: ImportID, of business: BusinessID, by mutation: Mutation) async throws -> Import {
    try await errors.translating {
      try await pool.withConnection(for: business.uuid) { connection in
        try await connection.transaction { connection in
          if case .first = try await connection.claim(mutation, in: business, response: id.uuid) {
            // The applier's row first, as the applier does: the other way round both could wait for each other.
            _ = try await connection.query(SQL.importClose, [.id(business), .id(id)])
            let state = try await connection.lock(id, of: business).state
            guard state != .completed else { throw DomainError.importNotOpen(state) }
            if state != .canceled {
              return try await connection.commit(
                [(SQL.importCancel, [.id(business), .id(id)])] + audit(mutation, of: id.uuid, in: business),
                andFind: id, of: business)
            }
          }
          return try await connection.find(id, of: business)
        }
      }
    }
  }

  /// Touches the applier's row only, and only when the import is faulted.
  public func resume(_ id: ImportID, of business: BusinessID, by mutation: Mutation) async throws -> Import {
    try await errors.translating {
      try await pool.withConnection(for: business.uuid) { connection in
        try await connection.transaction { connection in
          guard case .first = try await connection.claim(mutation, in: business, response: id.uuid) else {
            return try await connection.find(id, of: business)
          }
          let resumed = try await connection.query(SQL.importResume, [.id(business), .id(id)])
          if resumed.affectedRows == 1 {
            return try await connection.commit(
              audit(mutation, of: id.uuid, in: business), andFind: id, of: business)
          }
          let found = try await connection.find(id, of: business)
          guard !found.progress.state.isFinal else { throw DomainError.importNotOpen(found.progress.state) }
          return found
        }
      }
    }
  }
}

extension PostgresConnection {
  fileprivate nonisolated(nonsending) func find(_ id: ImportID, of business: BusinessID) async throws -> Import {
    let found = try await query(SQL.importFind, [.id(business), .id(id)])
    guard let row = found.rows.first else { throw DomainError.notFound(.import, id: "\(id)") }
    return try row.importRecord(of: business)
  }

  /// Ends the transaction with these statements, and returns the import as they leave it. The business's counter is among
  /// them, for which its other writers wait: it is held for no longer than the database needs.
  fileprivate nonisolated(nonsending) func commit(
    _ statements: [(Statement, [Parameter])], andFind id: ImportID, of business: BusinessID
  ) async throws -> Import {
    let results = try await commit(with: statements + [(SQL.importFind, [.id(business), .id(id)])])
    guard let row = results.last?.rows.first else { throw DomainError.notFound(.import, id: "\(id)") }
    return try row.importRecord(of: business)
  }

  /// Locks the uploader's side of an import until the transaction ends.
  fileprivate nonisolated(nonsending) func lock(
    _ id: ImportID, of business: BusinessID
  ) async throws -> (state: ImportState, committedRow: Int64, file: SHA256Digest?) {
    let locked = try await query(SQL.importLock, [.id(business), .id(id)])
    guard let row = locked.rows.first else { throw DomainError.notFound(.import, id: "\(id)") }
    return (try row.value(0), try row.int64(1), try row.digestOrNil(2))
  }
}

extension ImportDescription {
  /// The parameters of `import_create.sql`.
  fileprivate func parameters(_ id: ImportID, _ business: BusinessID, _ mutation: Mutation) -> [Parameter] {
    [
      .id(business), .id(id), .id(mutation.actor), .time(mutation.at), .orNull(expectedRows) { .int8($0) },
      .int2(policy.rawValue), .int2(defaults.paymentMethod.rawValue), .int2(defaults.notificationChannel.rawValue),
      .text(defaults.currency.code), .bool(createsPayments), .bool(createsNotifications), .text(sourceName),
      .text(group), .orNull(fileSHA256) { .digest($0) }, .orNull(mappingSHA256) { .digest($0) }, .bytes(sourceHeader),
    ]
  }
}
