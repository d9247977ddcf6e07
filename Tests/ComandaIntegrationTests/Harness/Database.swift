import ComandaPostgres
import ComandaStore
import Foundation
import Logging

/// A look at what a server has really stored.
struct Database {
  private let pool: PostgresPool

  /// Lends the database of a running server.
  static func of<Result>(_ server: Server, _ body: (Database) async throws -> Result) async throws -> Result {
    guard let url = server.databaseURL else { throw HarnessError("the server's database does not run\n\(server.log)") }
    let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let database = Database(pool: try PostgresPool(configuration: PostgresConfiguration(url: url), logger: silent))
    do {
      let result = try await body(database)
      await database.pool.shutDown()
      return result
    } catch {
      await database.pool.shutDown()
      throw error
    }
  }

  /// The external ids of a business's orders, each as often as it is there.
  func externalIDs(of account: Account) async throws -> [String] {
    guard let business = UUID(uuidString: account.business) else { throw HarnessError("a business's id is no UUID") }
    let result = try await pool.withConnection { connection in
      try await connection.query(
        Statement("SELECT external_id FROM orders WHERE business_id = $1 ORDER BY external_id"), [.uuid(business)])
    }
    return try result.rows.map { try $0.text(0) }
  }

  /// Changes something behind the server's back.
  func execute(_ sql: String) async throws {
    try await pool.withConnection { try await $0.execute(script: sql) }
  }

  /// Has the account's token expire now.
  func expire(_ account: Account) async throws {
    guard let token = UUID(uuidString: account.tokenID) else { throw HarnessError("a token's id is no UUID") }
    _ = try await pool.withConnection { connection in
      try await connection.query(Statement("UPDATE tokens SET expires_at = now() WHERE token_id = $1"), [.uuid(token)])
    }
  }

  /// The rules of the schema that the data breaks.
  func brokenRules() async throws -> [String] {
    let result = try await pool.withConnection { try await $0.query(Statement(Schema.integrityCheck)) }
    return try result.rows.map { try "\($0.text(0)): \($0.int64(1))" }
  }
}
