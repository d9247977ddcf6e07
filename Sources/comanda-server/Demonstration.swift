import ComandaDomain
import ComandaServices
import Foundation

/// The business that an embedded server starts with, and the profile by which the `comanda` command reaches it.
struct Demonstration {
  private static let businessName = "Demonstration"
  private static let tokenDays = 365

  let businesses: any BusinessStore
  let tokens: any TokenStore
  let environment: ServiceEnvironment

  /// The profile file: what a client needs to connect.
  private struct Profile: Codable {
    var server: String
    var ca: String
    var token: String
  }

  /// Writes `client.json`, with the token of the last start as long as it is good for another day; returns its path.
  func writeProfile(into directory: String, server: String, authority: String) async throws -> String {
    let file = URL(fileURLWithPath: directory).standardizedFileURL.appendingPathComponent("client.json")
    let known = try? JSONDecoder().decode(Profile.self, from: Data(contentsOf: file))
    let token: String
    if let known, try await isGood(known.token) {
      token = known.token
    } else {
      token = try await makeToken()
    }
    let ca = URL(fileURLWithPath: authority).standardizedFileURL.path
    try write(Profile(server: server, ca: ca, token: token), to: file)
    return file.path
  }

  private func isGood(_ token: String) async throws -> Bool {
    var token = token
    let digest = token.withUTF8 { environment.sha256(UnsafeRawBufferPointer($0)) }
    guard let resolved = try await tokens.resolve(digest, knownOf: nil), resolved.principal != nil else { return false }
    return resolved.microsecondsLeft.map { $0 > 86_400_000_000 } ?? true
  }

  private func makeToken() async throws -> String {
    let issuer = TokenIssuer(tokens: tokens, environment: environment)
    let business = try await business()
    return try await issuer.issue(
      name: "demonstration", kind: .business(business.id), scopes: Set(Scope.allCases), days: Self.tokenDays,
      method: "comanda-server/serve"
    ).secret
  }

  private func business() async throws -> Business {
    if let known = try await businesses.list(limit: 1_000).first(where: { $0.name == Self.businessName }) {
      return known
    }
    let now = environment.now()
    var random = SystemRandomNumberGenerator()
    let business = Business(id: .make(at: now, using: &random), name: Self.businessName, createdAt: now)
    try await businesses.create(
      business, by: Mutation(actor: .operator, method: "comanda-server/serve", at: now, request: nil))
    return business
  }

  /// Replaces the file as a whole; only its owner may read it.
  private func write(_ profile: Profile, to file: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let scratch = file.appendingPathExtension("new")
    let data = try encoder.encode(profile) + Data("\n".utf8)
    try? FileManager.default.removeItem(at: scratch)
    guard
      FileManager.default.createFile(
        atPath: scratch.path, contents: data, attributes: [.posixPermissions: NSNumber(value: 0o600)]),
      rename(scratch.path, file.path) == 0
    else { throw ServerError("\(file.path) cannot be written: \(String(cString: strerror(errno)))") }
  }
}
