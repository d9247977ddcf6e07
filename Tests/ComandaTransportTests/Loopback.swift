import ComandaRPC
import ComandaTLS
import ComandaTestRun
import Logging
import NIOCore
import Synchronization
import Testing

@testable import ComandaTransport

/// Certificates for all tests of this process.
let certificates = Result {
  try DevelopmentCertificates(in: TestRun.makeDirectory("certificates"))
}

/// A server on a loopback port of its own, and the clients that a test makes for it.
final class Loopback {
  let server: RPCServer
  let port: Int
  private var clients: [ClientChannel] = []

  init(
    _ methods: [RPCMethod], settings: ServerSettings = .quick, port: Int = 0, threads: Int = 2,
    interceptors: [any ServerInterceptor] = [], limits: CallLimits = .quick,
    mapping: @escaping CallDispatcher.ErrorMapping = { _ in nil }, logger: Logger = .quiet
  ) async throws {
    var router = Router()
    for method in methods { router.register(method) }
    server = try RPCServer(
      dispatcher: CallDispatcher(
        router: router, interceptors: interceptors, limits: limits, logger: logger, mapping: mapping),
      tls: .server(certificates.get().identity), settings: settings, threads: threads, logger: logger)
    let address = try await server.listen(host: "127.0.0.1", port: port)
    self.port = Int(address.split(separator: ":").last ?? "") ?? 0
  }

  /// Another client; the loopback closes it.
  func client(credential: String? = nil, settings: ClientSettings = ClientSettings()) throws -> ClientChannel {
    let client = try ClientChannel(
      target: ClientChannel.Target(host: "127.0.0.1", port: port), tls: .client(trust: certificates.get().trust),
      credential: credential, settings: settings)
    clients.append(client)
    return client
  }

  /// Closes clients and server.
  func close() async throws {
    for client in clients { try await client.close() }
    try await server.drain()
  }
}

/// Runs a test against a server of these methods, and closes all that it made.
func withLoopback(
  _ methods: RPCMethod..., settings: ServerSettings = .quick, threads: Int = 2,
  interceptors: [any ServerInterceptor] = [], limits: CallLimits = .quick,
  mapping: @escaping CallDispatcher.ErrorMapping = { _ in nil }, _ body: (Loopback) async throws -> Void
) async throws {
  let loopback = try await Loopback(
    methods, settings: settings, threads: threads, interceptors: interceptors, limits: limits, mapping: mapping)
  do {
    try await body(loopback)
  } catch {
    try? await loopback.close()
    throw error
  }
  try await loopback.close()
}

extension Logger {
  static var quiet: Logger {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }
}

extension ServerSettings {
  /// Patient with a busy machine's handshakes, and not with tests that leave calls or peers behind. Its peers, who are all
  /// unknown, may do what is a tenant's on other servers.
  static var quick: ServerSettings {
    var settings = ServerSettings()
    settings.handshakeTimeout = .seconds(30)
    settings.firstFrameTimeout = .seconds(30)
    settings.drainTimeout = .milliseconds(500)
    settings.strangerBytes = 1 << 40
    settings.strangerRequestTimeout = settings.requestTimeout
    return settings
  }
}

extension CallLimits {
  /// For callers who are all unknown.
  static var quick: CallLimits {
    var limits = CallLimits()
    limits.callsPerAccount = limits.runningCalls
    limits.streamsPerAccount = limits.runningCalls
    return limits
  }
}

/// Tells callers apart by the metadata `tenant`; those without it are unknown.
final class Tenants: ServerInterceptor {
  private final class Tenant: CallerIdentity {
    private let own: ResourceAccount

    init(_ account: ResourceAccount) {
      self.own = account
    }

    var account: ResourceAccount? { own }
  }

  private let accounts = Mutex<[String: ResourceAccount]>([:])

  func account(of name: String) -> ResourceAccount {
    accounts.withLock { accounts in
      if let account = accounts[name] { return account }
      let account = ResourceAccount()
      accounts[name] = account
      return account
    }
  }

  func callStartsAtOnce(_ context: inout ServerContext) -> Bool {
    if let name = context.metadata("tenant") { context.identity = Tenant(account(of: name)) }
    return true
  }
}

extension MethodDescriptor {
  /// A method of the tests' service.
  static func test(
    _ name: String, _ kind: Kind = .unary, defaultDeadline: Duration? = nil
  ) -> MethodDescriptor {
    MethodDescriptor(service: "test.Service", name: name, kind: kind, defaultDeadline: defaultDeadline)
  }

  static let echo = test("Echo")
}

extension RPCMethod {
  /// Answers with the request.
  static let echo = RPCMethod.unary(.echo) { (request: ByteBuffer, _) in request }
}

extension ClientChannel {
  func echo(_ text: String = "hello") async throws -> String {
    String(buffer: try await unary(.echo, ByteBuffer(string: text), options: CallOptions()))
  }
}

/// The error that a call ends with.
func rpcError<Value>(_ body: () async throws -> Value, location: SourceLocation = #_sourceLocation) async -> RPCError? {
  do {
    let value = try await body()
    Issue.record("no error, but \(value)", sourceLocation: location)
    return nil
  } catch let error as RPCError {
    return error
  } catch {
    Issue.record("not an RPCError: \(error)", sourceLocation: location)
    return nil
  }
}
