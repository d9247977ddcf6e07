/// A tenant of the platform.
public struct Business: Hashable, Sendable {
  /// The platform's id.
  public let id: BusinessID
  /// Its name, as people know it.
  public let name: String
  /// When it came to the platform.
  public let createdAt: Timestamp

  /// Makes a business.
  public init(id: BusinessID, name: String, createdAt: Timestamp) {
    self.id = id
    self.name = name
    self.createdAt = createdAt
  }
}

/// A bearer token as the platform keeps it: never the secret, only its SHA-256.
public struct AccessToken: Hashable, Sendable {
  /// The platform's id of the token, which histories and audit records name.
  public let id: TokenID
  /// The SHA-256 of the secret.
  public let sha256: SHA256Digest
  /// What the token is for, in its creator's words.
  public let name: String
  /// Whom it stands for.
  public let kind: PrincipalKind
  /// What it may do.
  public let scopes: Set<Scope>
  /// When it was made.
  public let createdAt: Timestamp
  /// When it ends by itself; never when nil.
  public let expiresAt: Timestamp?
  /// When it was revoked, if it was.
  public let revokedAt: Timestamp?

  /// Makes a token.
  public init(
    id: TokenID, sha256: SHA256Digest, name: String, kind: PrincipalKind, scopes: Set<Scope>, createdAt: Timestamp,
    expiresAt: Timestamp?, revokedAt: Timestamp? = nil
  ) {
    self.id = id
    self.sha256 = sha256
    self.name = name
    self.kind = kind
    self.scopes = scopes
    self.createdAt = createdAt
    self.expiresAt = expiresAt
    self.revokedAt = revokedAt
  }

}

/// A token as a store found it, with how long it is still good by the store's own clock: all servers of a platform share
/// that one, and none has to trust its own.
public struct ResolvedToken: Hashable, Sendable {
  /// The token.
  public let token: AccessToken
  /// Microseconds until it ends by itself, not positive when it has; nil for never.
  public let microsecondsLeft: Int64?

  /// Makes a token as it was found.
  public init(token: AccessToken, microsecondsLeft: Int64?) {
    self.token = token
    self.microsecondsLeft = microsecondsLeft
  }

  /// Who the bearer is; nil when the token was revoked or has expired.
  public var principal: Principal? {
    guard token.revokedAt == nil, microsecondsLeft.map({ $0 > 0 }) ?? true else { return nil }
    return Principal(tokenID: token.id, kind: token.kind, scopes: token.scopes)
  }
}

/// Whom a token stands for.
public enum PrincipalKind: Hashable, Sendable {
  /// One business, whose data alone it sees.
  case business(BusinessID)
  /// A service of the platform, which names the business with every call.
  case internalService
  /// An operator of the platform, who names the business where a call needs one.
  case admin
}

/// Who calls, once the token was checked.
public struct Principal: Hashable, Sendable {
  /// The token used; who did it, in histories and audit records.
  public let tokenID: TokenID
  /// Whom it stands for.
  public let kind: PrincipalKind
  /// What it may do.
  public let scopes: Set<Scope>

  /// Makes a principal.
  public init(tokenID: TokenID, kind: PrincipalKind, scopes: Set<Scope>) {
    self.tokenID = tokenID
    self.kind = kind
    self.scopes = scopes
  }

  /// The business whose own token it is; nil for the platform's.
  public var ownBusiness: BusinessID? {
    if case .business(let own) = kind { own } else { nil }
  }

  /// Fails unless the scope was granted.
  public func require(_ scope: Scope) throws(DomainError) {
    guard scopes.contains(scope) else { throw .scopeMissing(scope) }
  }

  /// The business that a call works on.
  ///
  /// - Parameter named: The business that the call names; a business's own token may leave it out.
  /// - Throws: ``DomainError/businessMissing`` when nobody names one, ``DomainError/businessForeign`` when a business's
  ///   token names another one, ``DomainError/notFound(_:id:)`` for the platform itself, which is no business.
  public func business(named: BusinessID?) throws(DomainError) -> BusinessID {
    switch kind {
    case .business(let own):
      guard named == nil || named == own else { throw .businessForeign }
      return own
    case .internalService, .admin:
      guard let named else { throw .businessMissing }
      guard named != .platform else { throw .notFound(.business, id: "\(named)") }
      return named
    }
  }
}

/// What a token may do. The schema names one for every method.
public enum Scope: String, Hashable, Sendable, CaseIterable {
  /// Read orders, their history and statistics.
  case ordersRead = "orders.read"
  /// Create and change orders.
  case ordersWrite = "orders.write"
  /// Read imports and their rows.
  case importsRead = "imports.read"
  /// Create, upload, finish and cancel imports.
  case importsWrite = "imports.write"
  /// Read payments.
  case paymentsRead = "payments.read"
  /// Make and change payments.
  case paymentsWrite = "payments.write"
  /// Read notifications.
  case notificationsRead = "notifications.read"
  /// Send and cancel notifications.
  case notificationsWrite = "notifications.write"
}
