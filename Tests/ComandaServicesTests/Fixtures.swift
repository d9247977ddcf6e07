import ComandaDomain
import ComandaRPC
import Foundation
import NIOCore
import Synchronization

@testable import ComandaServices

/// Clocks that tests move: the one that people set, and the one that only goes forward.
final class ManualClock: Sendable {
  private let time: Mutex<(now: Timestamp, uptime: NIODeadline)>

  init(_ start: Timestamp = Timestamp(microseconds: 1_795_000_000_000_000)) {
    time = Mutex((start, .uptimeNanoseconds(1_000_000_000_000)))
  }

  var now: Timestamp {
    time.withLock { $0.now }
  }

  var uptime: NIODeadline {
    time.withLock { $0.uptime }
  }

  /// Time passes.
  func advance(by duration: TimeAmount) {
    time.withLock { time in
      time.now = Timestamp(microseconds: time.now.microseconds + duration.nanoseconds / 1_000)
      time.uptime = time.uptime + duration
    }
  }

  /// Somebody sets the clock, forward or back.
  func set(forwardBy seconds: Int64) {
    time.withLock { $0.now = $0.now.adding(seconds: seconds) }
  }
}

extension ServiceEnvironment {
  /// A manual clock, and a hash that only has to tell texts apart.
  static func test(_ clock: ManualClock) -> ServiceEnvironment {
    ServiceEnvironment(
      now: { clock.now }, uptime: { clock.uptime },
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

/// Tokens in memory, with the number of look-ups. The clock of the store is its own: nobody sets it.
final class MemoryTokens: TokenStore {
  private struct State {
    var tokens: [SHA256Digest: AccessToken] = [:]
    var lookups = 0
  }

  private let state = Mutex(State())
  private let clock: ManualClock
  private let start: (now: Timestamp, uptime: NIODeadline)

  init(_ clock: ManualClock) {
    self.clock = clock
    start = (clock.now, clock.uptime)
  }

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

  func resolve(_ sha256: SHA256Digest, knownOf business: BusinessID?) async throws -> ResolvedToken? {
    let elapsed = (clock.uptime - start.uptime).nanoseconds / 1_000
    return state.withLock { state in
      state.lookups += 1
      guard let token = state.tokens[sha256] else { return nil }
      let left = token.expiresAt.map { $0.microseconds - start.now.microseconds - elapsed }
      return ResolvedToken(token: token, microsecondsLeft: left)
    }
  }
}

/// A call that only remembers how it was ended.
final class RecordedCall: RunningCall {
  let method: MethodDescriptor
  let metadata: Metadata
  let arrival: NIODeadline
  let deadline: NIODeadline? = nil
  let peer: ConnectionContext
  private let ending = Mutex<RPCError?>(nil)

  init(
    _ method: MethodDescriptor = .test(), metadata: Metadata = [:],
    connection: ConnectionContext = ConnectionContext(remoteAddress: "test"), arrival: NIODeadline = .now()
  ) {
    self.arrival = arrival
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
