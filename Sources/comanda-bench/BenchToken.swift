import ComandaCrypto
import ComandaDomain
import ComandaServices
import Foundation

/// The one token that the echo server knows, so that its calls are authenticated as the order server's are.
enum BenchToken {
  static let secret = "cmd_bench"
  static let scope = Scope.ordersRead.rawValue

  static let environment = ServiceEnvironment(
    now: {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    },
    sha256: { bytes in
      let digest = SHA256.hash(bytes)
      return SHA256Digest { target in digest.withUnsafeBytes { target.copyMemory(from: $0) } }
    })

  static var store: any TokenStore {
    let digest = Array(secret.utf8).withUnsafeBytes(environment.sha256)
    let id = UUID(uuidString: "01900000-0000-7000-8000-000000000001") ?? UUID()
    return Store(
      token: AccessToken(
        id: TokenID(id), sha256: digest, name: "comanda-bench", kind: .internalService, scopes: [.ordersRead],
        createdAt: environment.now(), expiresAt: nil))
  }

  /// Writes `profile.json`, for the commands that measure.
  static func writeProfile(into directory: String, server: String) throws {
    let profile = try JSONEncoder().encode(["server": server, "ca": "ca.pem", "token": secret])
    try profile.write(to: URL(filePath: directory).appending(path: "profile.json"))
  }

  private struct Store: TokenStore {
    let token: AccessToken

    func create(_ token: AccessToken, by mutation: Mutation) async throws {
      throw CocoaError(.featureUnsupported)
    }

    func list(of business: BusinessID?) async throws -> [AccessToken] { [token] }

    func revoke(_ id: TokenID, by mutation: Mutation) async throws -> AccessToken { token }

    func resolve(_ sha256: SHA256Digest, knownOf business: BusinessID?) async throws -> ResolvedToken? {
      token.sha256 == sha256 ? ResolvedToken(token: token, microsecondsLeft: nil) : nil
    }
  }
}
