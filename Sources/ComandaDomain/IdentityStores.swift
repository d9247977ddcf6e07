/// Where bearer tokens are kept.
public protocol TokenStore: Sendable {
  /// Stores a new token and an audit record.
  func create(_ token: AccessToken, by mutation: Mutation) async throws

  /// All tokens, or those of one business, the oldest first.
  func list(of business: BusinessID?) async throws -> [AccessToken]

  /// Ends a token. Revoking it again changes nothing.
  ///
  /// - Throws: ``DomainError/notFound(_:id:)``.
  func revoke(_ id: TokenID, by mutation: Mutation) async throws -> AccessToken

  /// The token with this hash, even when it was revoked or has expired; nil when there is none.
  ///
  /// - Parameter business: Whose token it was when it was looked up before; nil for the first time.
  func resolve(_ sha256: SHA256Digest, knownOf business: BusinessID?) async throws -> ResolvedToken?
}

/// Where businesses are kept.
public protocol BusinessStore: Sendable {
  /// Creates a business. Creating the same id again changes nothing.
  func create(_ business: Business, by mutation: Mutation) async throws

  /// The business, or nil.
  func find(_ id: BusinessID) async throws -> Business?

  /// All businesses, the oldest first, at most `limit`.
  func list(limit: Int) async throws -> [Business]
}
