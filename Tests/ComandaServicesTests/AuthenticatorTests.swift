import ComandaDomain
import ComandaRPC
import Foundation
import Logging
import Testing

@testable import ComandaServices

struct AuthenticatorTests {
  private let clock: ManualClock
  private let tokens: MemoryTokens
  private let business = BusinessID(UUID())
  private var environment: ServiceEnvironment { .test(clock) }

  init() {
    clock = ManualClock()
    tokens = MemoryTokens(clock)
  }

  private func authenticator() -> Authenticator {
    Authenticator(tokens: tokens, environment: environment, logger: Logger(label: "test"))
  }

  private func issue(
    _ secret: String, scopes: Set<Scope> = [.ordersRead], expiresIn seconds: Int64? = nil
  ) async throws -> TokenID {
    let id = TokenID(UUID())
    let token = AccessToken(
      id: id, sha256: environment.digest(of: secret), name: "test", kind: .business(business), scopes: scopes,
      createdAt: clock.now, expiresAt: seconds.map { clock.now.adding(seconds: $0) })
    try await tokens.create(token, by: mutation)
    return id
  }

  private var mutation: Mutation {
    Mutation(actor: .operator, method: "test", at: clock.now, request: nil)
  }

  private func context(
    _ method: MethodDescriptor = .test(), header: String? = nil, connection: ConnectionContext? = nil
  ) -> ServerContext {
    ServerContext(call(method, header: header, connection: connection))
  }

  private func call(
    _ method: MethodDescriptor, header: String? = nil, connection: ConnectionContext? = nil
  ) -> RecordedCall {
    RecordedCall(
      method, metadata: header.map { ["authorization": $0] } ?? [:],
      connection: connection ?? ConnectionContext(remoteAddress: "test"), arrival: clock.uptime)
  }

  private func start(_ authenticator: Authenticator, _ context: ServerContext) async throws -> ServerContext {
    var context = context
    // As the dispatcher does it.
    if try !authenticator.callStartsAtOnce(&context) { try await authenticator.callStarts(&context) }
    return context
  }

  private func status(_ body: () async throws -> Void) async throws -> StatusCode? {
    do {
      try await body()
      return nil
    } catch let error as RPCError {
      return error.code
    }
  }

  @Test("a token in the call's metadata names its business")
  func tokenOfCall() async throws {
    _ = try await issue("secret")
    let context = try await start(authenticator(), context(header: "Bearer secret"))
    #expect(try context.business() == business)
  }

  @Test("a method without a scope needs no token")
  func publicMethod() async throws {
    let context = try await start(authenticator(), context(.test(scope: nil)))
    #expect(throws: RPCError.self) { try context.principal() }
  }

  @Test("no token, a malformed one and an unknown one are UNAUTHENTICATED", arguments: [nil, "Basic x", "Bearer x"])
  func refused(header: String?) async throws {
    let code = try await status { _ = try await start(authenticator(), context(header: header)) }
    #expect(code == .unauthenticated)
  }

  @Test("a token without the method's scope is PERMISSION_DENIED")
  func scopeMissing() async throws {
    _ = try await issue("secret", scopes: [.importsRead])
    let code = try await status { _ = try await start(authenticator(), context(header: "Bearer secret")) }
    #expect(code == .permissionDenied)
  }

  @Test("a connection's token without the method's scope is PERMISSION_DENIED, the first time and when it is known")
  func scopeMissingOfConnection() async throws {
    _ = try await issue("secret", scopes: [.importsRead])
    let authenticator = authenticator()
    let connection = ConnectionContext(remoteAddress: "test", credential: "secret")
    for _ in 0..<3 {
      let code = try await status { _ = try await start(authenticator, context(connection: connection)) }
      #expect(code == .permissionDenied)
    }
    #expect(tokens.lookups == 1)
  }

  @Test("a business token that names another business is refused")
  func foreignBusiness() async throws {
    _ = try await issue("secret")
    var context = ServerContext(
      RecordedCall(metadata: ["authorization": "Bearer secret", "comanda-business": UUID().uuidString]))
    try await authenticator().callStarts(&context)
    #expect(throws: DomainError.businessForeign) { try context.business() }
  }

  @Test("a connection's token is looked up once, and again when the memory is over")
  func connectionMemory() async throws {
    _ = try await issue("secret")
    let authenticator = authenticator()
    let connection = ConnectionContext(remoteAddress: "test", credential: "secret")
    for _ in 0..<5 { _ = try await start(authenticator, context(connection: connection)) }
    #expect(tokens.lookups == 1)
    clock.advance(by: Authenticator.memory)
    _ = try await start(authenticator, context(connection: connection))
    #expect(tokens.lookups == 2)
  }

  @Test("a token that is revoked loses its access within the memory")
  func revocation() async throws {
    let id = try await issue("secret")
    let authenticator = authenticator()
    let connection = ConnectionContext(remoteAddress: "test", credential: "secret")
    _ = try await start(authenticator, context(connection: connection))
    _ = try await tokens.revoke(id, by: mutation)
    clock.advance(by: Authenticator.memory)
    let code = try await status { _ = try await start(authenticator, context(connection: connection)) }
    #expect(code == .unauthenticated)
  }

  @Test("a token that expires loses its access at once, whatever is remembered")
  func expiry() async throws {
    _ = try await issue("secret", expiresIn: 3)
    let authenticator = authenticator()
    let connection = ConnectionContext(remoteAddress: "test", credential: "secret")
    _ = try await start(authenticator, context(connection: connection))
    clock.advance(by: .seconds(3))
    let code = try await status { _ = try await start(authenticator, context(connection: connection)) }
    #expect(code == .unauthenticated)
  }

  @Test(
    "a server's clock that is set lets nobody in longer, and shuts nobody out", arguments: [-600, 86_400] as [Int64])
  func clockIsSet(seconds: Int64) async throws {
    let id = try await issue("revoked")
    _ = try await issue("brief", expiresIn: 60)
    let authenticator = authenticator()
    let (revoked, brief) = (
      ConnectionContext(remoteAddress: "test", credential: "revoked"),
      ConnectionContext(remoteAddress: "test", credential: "brief")
    )
    for connection in [revoked, brief] { _ = try await start(authenticator, context(connection: connection)) }
    clock.set(forwardBy: seconds)
    _ = try await tokens.revoke(id, by: mutation)
    clock.advance(by: Authenticator.memory)
    #expect(try await status { _ = try await start(authenticator, context(connection: revoked)) } == .unauthenticated)
    #expect(try await status { _ = try await start(authenticator, context(connection: brief)) } == nil)
    clock.advance(by: .seconds(50))
    #expect(try await status { _ = try await start(authenticator, context(connection: brief)) } == .unauthenticated)
  }

  @Test("a stream whose token expires while it runs is ended by the next sweep")
  func expiryDuringStream() async throws {
    _ = try await issue("brief", expiresIn: 3)
    let authenticator = authenticator()
    let watch = call(MethodDescriptor.test(.serverStreaming), header: "Bearer brief")
    _ = try await start(authenticator, ServerContext(watch))
    await authenticator.sweep()
    #expect(watch.termination == nil)
    clock.advance(by: .seconds(3))
    await authenticator.sweep()
    #expect(watch.termination?.code == .unauthenticated)
  }

  @Test("a sweep ends the streams of a revoked token, and no others")
  func sweep() async throws {
    let id = try await issue("revoked")
    _ = try await issue("good")
    let authenticator = authenticator()
    let stream = MethodDescriptor.test(.serverStreaming)
    let (revoked, good) = (call(stream, header: "Bearer revoked"), call(stream, header: "Bearer good"))
    let ended = call(stream, header: "Bearer revoked")
    _ = try await start(authenticator, ServerContext(revoked))
    _ = try await start(authenticator, ServerContext(good))
    let over = try await start(authenticator, ServerContext(ended))
    authenticator.callEnded(over, CallOutcome(code: .ok, duration: .zero))
    _ = try await tokens.revoke(id, by: mutation)
    clock.advance(by: Authenticator.memory)
    await authenticator.sweep()
    #expect(revoked.termination?.code == .unauthenticated)
    #expect(good.termination == nil)
    #expect(ended.termination == nil)
  }
}
