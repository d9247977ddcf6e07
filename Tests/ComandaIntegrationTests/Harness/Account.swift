import Foundation

/// A business of a test's own, with a token, as a client sees them.
struct Account {
  /// The business's id.
  let business: String
  /// The secret.
  let token: String
  /// What the token is revoked by.
  let tokenID: String

  private struct BusinessLine: Decodable {
    let businessId: String
  }

  private struct TokenLine: Decodable {
    let tokenId: String
    let token: String
  }

  private init(business: String, _ line: TokenLine) {
    self.business = business
    self.token = line.token
    self.tokenID = line.tokenId
  }

  /// Makes a business, and a token that may do these things; all when none is named.
  static func make(on server: Server, scopes: [String] = []) async throws -> Account {
    let line = try await server.administer(["business", "create", "--name", "Test"], as: BusinessLine.self)
    return try await Account(business: line.businessId, makeToken(on: server, line.businessId, scopes))
  }

  /// Makes another token of the same business.
  func withScopes(_ scopes: [String], on server: Server) async throws -> Account {
    try await Account(business: business, Self.makeToken(on: server, business, scopes))
  }

  private static func makeToken(on server: Server, _ business: String, _ scopes: [String]) async throws -> TokenLine {
    try await server.administer(
      ["token", "create", "--name", "test", "--kind", "business", "--business", business]
        + scopes.flatMap { ["--scope", $0] })
  }

  /// Makes a token of the platform's own services, which work on any business.
  static func internalToken(on server: Server) async throws -> String {
    try await server.administer(
      ["token", "create", "--name", "test", "--kind", "internal"], as: TokenLine.self
    ).token
  }

  /// Ends the token.
  func revoke(on server: Server) async throws {
    struct Revoked: Decodable {
      let revokedAt: String
    }
    _ = try await server.administer(["token", "revoke", tokenID], as: Revoked.self)
  }
}
