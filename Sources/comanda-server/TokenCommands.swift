import ArgumentParser
import ComandaDomain
import ComandaServerConfiguration
import ComandaServices
import ComandaStore
import Foundation

/// `comanda-server token`
struct TokenCommands: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token", abstract: "Create, list and revoke bearer tokens.",
    subcommands: [CreateToken.self, ListTokens.self, RevokeToken.self])
}

/// The kinds of tokens, as the command line names them.
enum TokenKindArgument: String, ExpressibleByArgument, CaseIterable {
  case business, `internal`, admin
}

extension Scope: ExpressibleByArgument {}

/// `comanda-server token create`
struct CreateToken: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Create a token, and print its secret as JSON: once, it is not kept.",
    discussion: """
      Example: comanda-server token create --embedded ./comanda-data \\
                 --name 'till 3' --kind business \\
                 --business 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11 \\
                 --scope orders.read --scope orders.write
      """)

  @OptionGroup(title: "Database")
  var database: DatabaseOptions

  @Option(help: "What the token is for, 1 to 200 characters.")
  var name: String

  @Option(help: "business: for one business; internal: names the business per call; admin: an operator.")
  var kind: TokenKindArgument

  @Option(help: "The business' id; only with --kind business.")
  var business: String?

  @Option(help: "What it may do; repeat for more. All when left out.")
  var scope: [Scope] = []

  @Option(help: "Days until it ends; 0 for never.")
  var days = 365

  func validate() throws {
    guard (1...200).contains(name.unicodeScalars.count) else { throw ValidationError("a name has 1 to 200 characters") }
    guard (0...36_500).contains(days) else { throw ValidationError("--days is 0 to 36500") }
    _ = try principalKind()
  }

  private func principalKind() throws -> PrincipalKind {
    switch (kind, business) {
    case (.business, let text?):
      guard let id = BusinessID(text), id != .platform else {
        throw ValidationError("--business is the id of a business, a UUID from `business list`")
      }
      return .business(id)
    case (.business, nil): throw ValidationError("--kind business needs --business ID")
    case (_, .some): throw ValidationError("--business goes with --kind business only")
    case (.internal, nil): return .internalService
    case (.admin, nil): return .admin
    }
  }

  func run() async throws {
    let kind = try principalKind()
    let scopes = scope.isEmpty ? Set(Scope.allCases) : Set(scope)
    let (name, days) = (self.name, self.days)
    try await Administration.run(on: database) { pool, logger in
      let issuer = TokenIssuer(tokens: PostgresTokenStore(pool: pool, logger: logger), environment: .live)
      let issued = try await issuer.issue(
        name: name, kind: kind, scopes: scopes, days: days == 0 ? nil : days, method: "comanda-server/token-create")
      try JSONLine.write(TokenLine(issued.token, secret: issued.secret))
    }
  }
}

/// `comanda-server token list`
struct ListTokens: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List tokens, one line of JSON each, without their secrets.",
    discussion: "Example: comanda-server token list --embedded ./comanda-data")

  @OptionGroup(title: "Database")
  var database: DatabaseOptions

  @Option(help: "Only tokens of this business.")
  var business: String?

  func validate() throws {
    if let business, BusinessID(business) == nil {
      throw ValidationError("--business is the id of a business, a UUID")
    }
  }

  func run() async throws {
    let business = self.business.flatMap { BusinessID($0) }
    try await Administration.run(on: database) { pool, logger in
      for token in try await PostgresTokenStore(pool: pool, logger: logger).list(of: business) {
        try JSONLine.write(TokenLine(token))
      }
    }
  }
}

/// `comanda-server token revoke`
struct RevokeToken: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "End a token; live access ends within 30 seconds.",
    discussion: """
      Example: comanda-server token revoke --embedded ./comanda-data \\
                 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11
      """)

  @OptionGroup(title: "Database")
  var database: DatabaseOptions

  @Argument(help: "The token's id, from `token list`.")
  var token: String

  func validate() throws {
    guard TokenID(token) != nil else { throw ValidationError("'\(token)' is no token id: a UUID, from `token list`") }
  }

  func run() async throws {
    guard let id = TokenID(token) else { return }
    try await Administration.run(on: database) { pool, logger in
      let revoked = try await PostgresTokenStore(pool: pool, logger: logger).revoke(
        id,
        by: Mutation(
          actor: .operator, method: "comanda-server/token-revoke", at: ServiceEnvironment.live.now(), request: nil))
      try JSONLine.write(TokenLine(revoked))
    }
  }
}

private struct TokenLine: Encodable {
  let tokenId: String
  let name: String
  let kind: String
  let businessId: String?
  let scopes: [String]
  let createdAt: String
  let expiresAt: String?
  let revokedAt: String?
  let token: String?

  init(_ token: AccessToken, secret: String? = nil) {
    tokenId = token.id.description
    name = token.name
    switch token.kind {
    case .business(let id): (kind, businessId) = ("business", id.description)
    case .internalService: (kind, businessId) = ("internal", nil)
    case .admin: (kind, businessId) = ("admin", nil)
    }
    scopes = token.scopes.map(\.rawValue).sorted()
    createdAt = token.createdAt.description
    expiresAt = token.expiresAt?.description
    revokedAt = token.revokedAt?.description
    self.token = secret
  }
}
