import ComandaDomain
import ComandaRPC
import Logging
import NIOCore
import Synchronization

/// Who calls, as the authenticator found out, and until when that counts.
final class AuthenticatedCaller: CallerIdentity {
  let principal: Principal
  let token: SHA256Digest
  let goodUntil: NIODeadline
  let account: ResourceAccount?

  init(principal: Principal, token: SHA256Digest, goodUntil: NIODeadline, account: ResourceAccount) {
    self.principal = principal
    self.token = token
    self.goodUntil = goodUntil
    self.account = account
  }

  /// The same caller, in a call for a business that it names.
  func counted(on account: ResourceAccount) -> AuthenticatedCaller {
    AuthenticatedCaller(principal: principal, token: token, goodUntil: goodUntil, account: account)
  }
}

/// Checks the bearer token of every call against the scope that the schema names for its method.
///
/// A token is looked up once and then remembered for ``memory``, on the connection that sent it or by its hash, but not
/// beyond its expiry; so revocation ends access within that time. Calls that stream may outlive it: ``sweep()`` looks
/// their tokens up again and ends those that lost their right.
///
/// Whether a token has expired is for the store's clock to say, and how old a look-up is for the event loops' one: a
/// server whose own clock is wrong, or is set, lets nobody in longer.
public final class Authenticator: ServerInterceptor {
  /// How long a look-up counts.
  static let memory = TimeAmount.seconds(10)
  /// How often streaming calls are looked at.
  static let sweepInterval = Duration.seconds(5)
  /// Tokens remembered; the memory is dropped when there are more, since they come from whoever connects.
  static let remembered = 10_000

  private struct Entry {
    let principal: Principal?
    let isKnown: Bool
    let goodUntil: NIODeadline
  }

  private struct State {
    var entries: [SHA256Digest: Entry] = [:]
    var streams: [ObjectIdentifier: (context: ServerContext, caller: AuthenticatedCaller)] = [:]
  }

  private let tokens: any TokenStore
  private let environment: ServiceEnvironment
  private let logger: Logger
  private let accounts = TenantAccounts()
  private let state = Mutex(State())

  /// An authenticator over these tokens.
  public init(tokens: any TokenStore, environment: ServiceEnvironment, logger: Logger) {
    self.tokens = tokens
    self.environment = environment
    self.logger = logger
  }

  /// Lets a unary call of a connection whose token was looked up lately go on at once.
  public func callStartsAtOnce(_ context: inout ServerContext) throws -> Bool {
    guard let scope = context.method.scope else { return true }
    guard context.method.kind == .unary, context.metadata("authorization") == nil,
      let caller = context.connection.identity as? AuthenticatedCaller, context.arrival < caller.goodUntil
    else { return false }
    try require(scope, of: caller, for: context.method)
    context.identity = counted(caller, in: context)
    return true
  }

  /// Finds out who calls, and refuses who may not.
  public func callStarts(_ context: inout ServerContext) async throws {
    guard let scope = context.method.scope else { return }
    let caller = try await caller(of: context)
    try require(scope, of: caller, for: context.method)
    context.identity = counted(caller, in: context)
    if context.method.kind != .unary {
      let stream = context
      state.withLock { $0.streams[context.id] = (stream, caller) }  // bounded: a dictionary takes any key
    }
  }

  /// Forgets a streaming call.
  public func callEnded(_ context: ServerContext, _ outcome: CallOutcome) {
    if context.method.kind != .unary {
      state.withLock { _ = $0.streams.removeValue(forKey: context.id) }
    }
  }

  /// Ends streaming calls whose tokens were revoked or have expired; returns when its task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: Self.sweepInterval)
      await sweep()
    }
  }

  func sweep() async {
    let streams = state.withLock { Array($0.streams.values) }
    for (context, caller) in streams {
      do {
        if try await entry(of: caller.token).principal == nil { context.terminate(with: .tokenEnded) }
      } catch {
        logger.warning("a token cannot be checked now; its streams go on", metadata: ["error": "\(error)"])
      }
    }
  }

  /// A business's own calls count on it, and so do those that the platform's services make for it.
  private func counted(_ caller: AuthenticatedCaller, in context: ServerContext) -> AuthenticatedCaller {
    guard caller.principal.ownBusiness == nil,
      let named = context.metadata("comanda-business").flatMap({ BusinessID($0) })
    else { return caller }
    return caller.counted(on: accounts.account(of: named.uuid))
  }

  private func caller(of context: ServerContext) async throws -> AuthenticatedCaller {
    if let header = context.metadata("authorization") {
      guard header.utf8.count <= 4_096, header.lowercased().hasPrefix("bearer ") else {
        throw RPCError.credentialMissing
      }
      return try await caller(of: String(header.dropFirst("bearer ".count)))
    }
    let connection = context.connection
    guard let credential = connection.credential else { throw RPCError.credentialMissing }
    if let known = connection.identity as? AuthenticatedCaller, context.arrival < known.goodUntil { return known }
    let caller = try await caller(of: credential)
    connection.identity = caller
    return caller
  }

  private func caller(of secret: String) async throws -> AuthenticatedCaller {
    var secret = secret
    let digest = secret.withUTF8 { environment.sha256(UnsafeRawBufferPointer($0)) }
    let entry = try await entry(of: digest)
    guard let principal = entry.principal else { throw entry.isKnown ? RPCError.tokenEnded : .credentialUnknown }
    let tenant = principal.ownBusiness?.uuid ?? principal.tokenID.uuid
    return AuthenticatedCaller(
      principal: principal, token: digest, goodUntil: entry.goodUntil, account: accounts.account(of: tenant))
  }

  /// What is known of the token with a hash, from the memory or the store.
  private func entry(of digest: SHA256Digest) async throws -> Entry {
    let askedAt = environment.uptime()
    let known = state.withLock { $0.entries[digest] }
    if let known, askedAt < known.goodUntil { return known }
    let found = try await tokens.resolve(digest, knownOf: known?.principal?.ownBusiness)
    let left = found?.microsecondsLeft.map { TimeAmount.microseconds(max($0, 0)) }
    let entry = Entry(
      // bounded: at most memory is added, and a deadline saturates
      principal: found?.principal, isKnown: found != nil, goodUntil: askedAt + min(Self.memory, left ?? Self.memory))
    state.withLock { state in
      if state.entries.count >= Self.remembered { state.entries.removeAll(keepingCapacity: true) }
      state.entries[digest] = entry
    }
    return entry
  }

  private func require(
    _ scope: String, of caller: AuthenticatedCaller, for method: MethodDescriptor
  ) throws(RPCError) {
    guard caller.principal.scopes.contains(where: { $0.rawValue == scope }) else {
      throw .scopeMissing(scope, of: method)
    }
  }
}

extension ServerContext {
  /// Who calls.
  /// - Throws: `RPCError` UNAUTHENTICATED when the method needs no token and none was checked.
  func principal() throws -> Principal {
    guard let caller = identity as? AuthenticatedCaller else { throw RPCError.credentialMissing }
    return caller.principal
  }

  /// The business that the call works on: the token's own, or the one that the metadata `comanda-business` names.
  func business() throws -> BusinessID {
    var named: BusinessID?
    if let text = metadata("comanda-business") {
      guard let business = BusinessID(text) else {
        throw DomainError.invalid([
          ComandaDomain.FieldViolation(
            field: "comanda-business", problem: .malformed(expected: "the id of a business, a UUID"))
        ])
      }
      named = business
    }
    return try principal().business(named: named)
  }
}

extension RPCError {
  static let credentialMissing = RPCError(
    .unauthenticated,
    "the call has no token; send one in a CREDENTIAL frame, or as metadata `authorization: Bearer …`",
    details: ErrorDetails.bytes(reason: "CREDENTIAL_MISSING"))

  static let credentialUnknown = RPCError(
    .unauthenticated, "the token is not known here; ask the server's operator for one",
    details: ErrorDetails.bytes(reason: "CREDENTIAL_UNKNOWN"))

  static let tokenEnded = RPCError(
    .unauthenticated, "the token was revoked or has expired; ask the server's operator for a new one",
    details: ErrorDetails.bytes(reason: "CREDENTIAL_ENDED"))

  static func scopeMissing(_ scope: String, of method: MethodDescriptor) -> RPCError {
    RPCError(
      .permissionDenied, "\(method.path) needs a token with the scope \(scope)",
      details: ErrorDetails.bytes(reason: "SCOPE_MISSING", metadata: ["scope": scope]))
  }
}
