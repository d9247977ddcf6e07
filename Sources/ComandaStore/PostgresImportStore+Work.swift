public import ComandaDomain
import ComandaPostgres

extension PostgresImportStore {
  /// Sweeps over all businesses; what is found is leased business by business.
  public func businessesWithWork(limit: Int) async throws -> [BusinessID] {
    try await errors.translating {
      try await pool.query(SQL.workBusinesses, [.int8(Int64(limit))]).rows.map { try $0.id(0) }
    }
  }

  /// Skips imports that another is leasing at the moment.
  public func lease(of business: BusinessID, limit: Int, seconds: Int) async throws -> [ImportLease] {
    try await errors.translating {
      let result = try await pool.query(
        SQL.workLease, [.id(business), .int8(Int64(limit)), .float8(Double(seconds))])
      return try result.rows.map { row in
        ImportLease(businessID: business, importID: try row.id(0), fence: try row.int64(1))
      }
    }
  }

  /// Does nothing when the fence has risen.
  public func release(_ lease: ImportLease) async throws {
    try await errors.translating {
      _ = try await pool.query(SQL.workRelease, [.id(lease.businessID), .id(lease.importID), .int8(lease.fence)])
    }
  }

  /// One transaction on a connection of its own; see ``ChunkApplication``.
  public func applyNext(_ lease: ImportLease, limit: Int, seconds: Int) async throws -> Application {
    try await errors.translating {
      try await pool.withConnection { connection in
        try await connection.transaction { connection in
          try await ChunkApplication(lease: lease, limit: limit, seconds: seconds, connection: connection).run()
        }
      }
    }
  }
}
