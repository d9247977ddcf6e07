import ComandaDomain
import ComandaRPC
import Foundation
import NIOCore
import Synchronization

@testable import ComandaServices

/// A clock that tests move.
final class ManualClock: Sendable {
  private let time: Mutex<Timestamp>

  init(_ start: Timestamp = Timestamp(microseconds: 1_795_000_000_000_000)) {
    time = Mutex(start)
  }

  var now: Timestamp {
    time.withLock { $0 }
  }

  func advance(seconds: Int64) {
    time.withLock { $0 = $0.adding(seconds: seconds) }
  }
}

extension ServiceEnvironment {
  /// A manual clock, and a hash that only has to tell texts apart.
  static func test(_ clock: ManualClock) -> ServiceEnvironment {
    ServiceEnvironment(
      now: { clock.now },
      sha256: { bytes in
        var hash: UInt64 = 14_695_981_039_346_656_037
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
        return SHA256Digest { target in
          for index in target.indices { target[index] = UInt8(truncatingIfNeeded: hash >> (8 * (index % 8))) }
        }
      })
  }

  func digest(of secret: String) -> SHA256Digest {
    Array(secret.utf8).withUnsafeBytes(sha256)
  }
}

/// Tokens in memory, with the number of look-ups.
final class MemoryTokens: TokenStore {
  private struct State {
    var tokens: [SHA256Digest: AccessToken] = [:]
    var lookups = 0
  }

  private let state = Mutex(State())

  var lookups: Int {
    state.withLock { $0.lookups }
  }

  func create(_ token: AccessToken, by mutation: Mutation) async throws {
    state.withLock { $0.tokens[token.sha256] = token }
  }

  func list(of business: BusinessID?) async throws -> [AccessToken] {
    state.withLock { Array($0.tokens.values) }
  }

  func revoke(_ id: TokenID, by mutation: Mutation) async throws -> AccessToken {
    try state.withLock { state in
      guard let token = state.tokens.values.first(where: { $0.id == id }) else {
        throw DomainError.notFound(.token, id: "\(id)")
      }
      let revoked = AccessToken(
        id: token.id, sha256: token.sha256, name: token.name, kind: token.kind, scopes: token.scopes,
        createdAt: token.createdAt, expiresAt: token.expiresAt, revokedAt: mutation.at)
      state.tokens[token.sha256] = revoked
      return revoked
    }
  }

  func resolve(_ sha256: SHA256Digest) async throws -> AccessToken? {
    state.withLock { state in
      state.lookups += 1
      return state.tokens[sha256]
    }
  }
}

/// A call that only remembers how it was ended.
final class RecordedCall: RunningCall {
  let method: MethodDescriptor
  let metadata: Metadata
  let arrival = NIODeadline.now()
  let deadline: NIODeadline? = nil
  let peer: ConnectionContext
  private let ending = Mutex<RPCError?>(nil)

  init(
    _ method: MethodDescriptor = .test(), metadata: Metadata = [:],
    connection: ConnectionContext = ConnectionContext(remoteAddress: "test")
  ) {
    self.method = method
    self.metadata = metadata
    self.peer = connection
  }

  var termination: RPCError? {
    ending.withLock { $0 }
  }

  func sendInitialMetadata(_ metadata: Metadata) {}
  func setTrailers(_ trailers: Metadata) {}
  func terminate(with error: RPCError) { ending.withLock { $0 = error } }
  var isDraining: Bool { false }
}

extension MethodDescriptor {
  static func test(_ kind: Kind = .unary, scope: String? = "orders.read") -> MethodDescriptor {
    MethodDescriptor(service: "test.Service", name: "Method", kind: kind, scope: scope)
  }
}
