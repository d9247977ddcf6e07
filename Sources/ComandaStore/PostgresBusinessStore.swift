public import ComandaDomain
public import ComandaPostgres
public import Logging

/// Businesses in PostgreSQL.
public struct PostgresBusinessStore: BusinessStore {
  private let pool: PostgresPool
  private let errors: StoreErrors

  /// Makes a store over a database whose schema is up to date.
  public init(pool: PostgresPool, logger: Logger) {
    self.pool = pool
    self.errors = StoreErrors(logger: logger)
  }

  /// The business and its counter row.
  public func create(_ business: Business, by mutation: Mutation) async throws {
    try await errors.translating {
      try await pool.withConnection(.interactive) { connection in
        try await connection.transaction { connection in
          let created = try await connection.query(
            SQL.businessCreate, [.id(business.id), .time(business.createdAt), .text(business.name)])
          guard created.affectedRows == 1 else { return }
          _ = try await connection.commit(
            with: [(SQL.businessCounter, [.id(business.id)])]
              + audit(mutation, of: business.id.uuid, in: business.id))
        }
      }
    }
  }

  /// One statement on a shared connection.
  public func find(_ id: BusinessID) async throws -> Business? {
    try await errors.translating {
      try await pool.query(SQL.businessFind, [.id(id)]).rows.first?.business()
    }
  }

  /// All but the row that stands for the platform.
  public func list(limit: Int) async throws -> [Business] {
    try await errors.translating {
      try await pool.query(SQL.businessList, [.int8(Int64(limit))]).rows.map { try $0.business() }
    }
  }
}

extension Row {
  fileprivate func business() throws -> Business {
    Business(id: try id(0), name: try text(2), createdAt: try time(1))
  }
}
