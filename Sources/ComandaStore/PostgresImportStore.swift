public import ComandaDomain
public import ComandaPostgres
import FoundationEssentials
public import Logging

/// Imports in PostgreSQL.
public struct PostgresImportStore: ImportStore {
  let pool: PostgresPool
  let errors: StoreErrors

  /// Makes a store over a database whose schema is up to date.
  public init(pool: PostgresPool, logger: Logger) {
    self.pool = pool
    self.errors = StoreErrors(logger: logger)
  }

  /// One statement on a shared connection.
  public func find(_ id: ImportID, of business: BusinessID) async throws -> Import? {
    try await errors.translating {
      try await pool.query(SQL.importFind, [.id(business), .id(id)], for: business.uuid).rows.first?.importRecord(
        of: business)
    }
  }

  /// Two rows by their keys: cheap enough to poll.
  public func progress(of id: ImportID, of business: BusinessID) async throws -> ImportProgress? {
    try await errors.translating {
      try await pool.query(SQL.importProgress, [.id(business), .id(id)], for: business.uuid).rows.first?
        .importProgress()
    }
  }

  /// Out of the primary key, since ids are in the order of creation. A page is shorter than asked for where its header
  /// lines would exceed a megabyte.
  public func list(
    states: Set<ImportState>, group: String, of business: BusinessID, page: PageRequest<ImportID>
  ) async throws -> Page<Import, ImportID> {
    let states = states.isEmpty ? Set(ImportState.allCases) : states
    let before = page.after ?? ImportID(UUID(high: .max, low: .max))
    return try await errors.translatingReport {
      let result = try await pool.withConnection(.reports, for: business.uuid) { connection in
        try await connection.query(
          SQL.importList,
          [
            .id(business), .int2Array(states.map(\.rawValue).sorted()), .text(group), .id(before),
            .int8(Int64(page.size) + 1),  // bounded: a page has at most 1,000 imports
          ])
      }
      let imports = try result.rows.prefix(page.size).map { try $0.importRecord(of: business) }
      let listed = try result.rows.first?.int64(27) ?? 0
      return Page(elements: imports, next: listed > imports.count ? imports.last?.id : nil)
    }
  }
}
