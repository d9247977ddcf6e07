import ComandaCrypto
import ComandaDomain
import FoundationEssentials

/// Makes bearer tokens. The secret is shown once; the store keeps its SHA-256.
public struct TokenIssuer: Sendable {
  /// A new token, and the secret that nobody can read again.
  public struct Issued: Sendable {
    /// What the store keeps.
    public let token: AccessToken
    /// What the bearer sends.
    public let secret: String
  }

  private static let secretBytes = 32

  private let tokens: any TokenStore
  private let environment: ServiceEnvironment

  /// An issuer that stores into `tokens`.
  public init(tokens: any TokenStore, environment: ServiceEnvironment) {
    self.tokens = tokens
    self.environment = environment
  }

  /// Makes and stores a token.
  /// - Parameters:
  ///   - days: How long it is good for; nil for ever.
  ///   - method: What issues it, for the audit record.
  public func issue(
    name: String, kind: PrincipalKind, scopes: Set<Scope>, days: Int?, method: String
  ) async throws -> Issued {
    let now = environment.now()
    var random = SystemRandomNumberGenerator()
    let secret = "comanda_" + Self.base64URL(try RandomBytes.generate(Self.secretBytes))
    let digest = Array(secret.utf8).withUnsafeBytes(environment.sha256)
    let token = AccessToken(
      id: TokenID.make(at: now, using: &random), sha256: digest, name: name, kind: kind, scopes: scopes, createdAt: now,
      expiresAt: days.map { now.adding(days: Int64(clamping: $0)) })
    try await tokens.create(token, by: Mutation(actor: .operator, method: method, at: now, request: nil))
    return Issued(token: token, secret: secret)
  }

  /// Base64 for URLs (RFC 4648, section 5), without padding.
  private static func base64URL(_ bytes: [UInt8]) -> String {
    String(
      Data(bytes).base64EncodedString().compactMap { character in
        switch character {
        case "+": "-"
        case "/": "_"
        case "=": nil
        default: character
        }
      })
  }
}

extension TokenID {
  /// Who acts from the server's own command line: no token, so the nil UUID.
  public static let `operator` = TokenID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)))
}
