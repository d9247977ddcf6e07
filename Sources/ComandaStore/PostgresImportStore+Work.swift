public import ComandaDomain
import ComandaPostgres
import FoundationEssentials

extension PostgresImportStore {
  /// One statement on a shared connection.
  public func businessesWithWork(after last: BusinessID?, limit: Int) async throws -> [BusinessID] {
    let place = last ?? BusinessID(UUID(high: 0, low: 0))
    return try await errors.translating {
      try await pool.query(SQL.workBusinesses, [.int8(Int64(limit)), .id(place)]).rows.map { try $0.id(0) }
    }
  }

  /// On a connection of its own; see ``ApplierTurn``. On behalf of the platform: a business whose uploads hold all its
  /// connections would keep a worker waiting that others need. Workers are few, and take turns by business themselves.
  public func applyNext(of business: BusinessID, limit: Int) async throws -> Application {
    try await errors.translating {
      try await pool.withConnection(.imports) { connection in
        try await ApplierTurn(business: business, limit: limit, connection: connection, logger: errors.logger).run()
      }
    }
  }
}
