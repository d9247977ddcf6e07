public import ComandaDomain
public import ComandaPostgres
import FoundationEssentials
public import Logging

/// Bearer tokens in PostgreSQL.
public struct PostgresTokenStore: TokenStore {
  private let pool: PostgresPool
  private let errors: StoreErrors

  /// Makes a store over a database whose schema is up to date.
  public init(pool: PostgresPool, logger: Logger) {
    self.pool = pool
    self.errors = StoreErrors(logger: logger)
  }

  /// The token and its audit record, in the business's name or the platform's.
  public func create(_ token: AccessToken, by mutation: Mutation) async throws {
    let stored = StoredPrincipalKind(token.kind)
    try await errors.translating {
      _ = try await pool.withConnection(.interactive, for: stored.business?.uuid) { connection in
        try await connection.transaction { connection in
          if let business = stored.business {
            let found = try await connection.query(SQL.businessFind, [.id(business)])
            guard !found.rows.isEmpty else { throw DomainError.notFound(.business, id: "\(business)") }
          }
          let parameters: [Parameter] = [
            .id(token.id), .orNull(stored.business) { .id($0) }, .time(token.createdAt),
            .orNull(token.expiresAt) { .time($0) }, .int2(stored.number), .digest(token.sha256), .text(token.name),
            .textArray(token.scopes.map(\.rawValue).sorted()),
          ]
          return try await connection.commit(
            with: [(SQL.tokenCreate, parameters)] + audit(mutation, of: token.id.uuid, in: stored.business ?? .platform)
          )
        }
      }
    }
  }

  /// One statement on a shared connection.
  public func list(of business: BusinessID?) async throws -> [AccessToken] {
    try await errors.translating {
      try await pool.query(SQL.tokenList, [business.map { .id($0) } ?? .null], for: business?.uuid).rows.map {
        try $0.accessToken()
      }
    }
  }

  /// Keeps the time of the first revocation.
  public func revoke(_ id: TokenID, by mutation: Mutation) async throws -> AccessToken {
    try await errors.translating {
      try await pool.withConnection(.interactive) { connection in
        try await connection.transaction { connection in
          let revoked = try await connection.query(SQL.tokenRevoke, [.id(id), .time(mutation.at)])
          guard let token = try revoked.rows.first?.accessToken() else {
            throw DomainError.notFound(.token, id: "\(id)")
          }
          let business = StoredPrincipalKind(token.kind).business ?? .platform
          _ = try await connection.commit(with: audit(mutation, of: id.uuid, in: business))
          return token
        }
      }
    }
  }

  /// One statement on a shared connection, by the unique index of the hashes.
  public func resolve(_ sha256: SHA256Digest, knownOf business: BusinessID?) async throws -> ResolvedToken? {
    try await errors.translating {
      let tenant = business.map(\.uuid) ?? Self.strangers
      guard let row = try await pool.query(SQL.tokenResolve, [.digest(sha256)], for: tenant).rows.first else {
        return nil
      }
      return ResolvedToken(token: try row.accessToken(), microsecondsLeft: try row.int64OrNil(9))
    }
  }

  /// On whose behalf a token is looked up for the first time: all who come with unknown tokens share the bounds of one
  /// tenant, so that no flood of them keeps those who are known from being looked up again.
  private static let strangers = UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))
}

/// How a principal's kind is stored: a number, and the business where there is one.
private struct StoredPrincipalKind {
  let number: Int16
  let business: BusinessID?

  init(_ kind: PrincipalKind) {
    switch kind {
    case .business(let id): (number, business) = (1, id)
    case .internalService: (number, business) = (2, nil)
    case .admin: (number, business) = (3, nil)
    }
  }

  static func kind(_ number: Int16, _ business: BusinessID?) -> PrincipalKind? {
    switch (number, business) {
    case (1, let business?): .business(business)
    case (2, nil): .internalService
    case (3, nil): .admin
    default: nil
    }
  }
}

extension Row {
  /// Reads the columns of the `token_….sql` files, which are the same. A scope that this program does not know, since a
  /// newer one stored it, grants nothing here.
  fileprivate func accessToken() throws -> AccessToken {
    AccessToken(
      id: try id(0), sha256: try digest(6), name: try text(7),
      kind: try known(StoredPrincipalKind.kind(try int16(5), try idOrNil(1))),
      scopes: Set(try textArray(8).compactMap { $0.flatMap(Scope.init) }), createdAt: try time(2),
      expiresAt: try timeOrNil(3), revokedAt: try timeOrNil(4))
  }
}
