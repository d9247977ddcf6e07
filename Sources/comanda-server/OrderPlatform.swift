import ComandaDomain
import ComandaPostgres
import ComandaProtos
import ComandaRPC
import ComandaServerConfiguration
import ComandaServices
import ComandaStore
import ComandaTLS
import ComandaTransport
import Foundation
import Logging
import ServiceLifecycle

/// The composition root: joins stores, services, background work and the listener, and runs them until shutdown.
struct OrderPlatform: Service {
  let configuration: ServerConfiguration
  let pool: PostgresPool
  let logger: Logger

  func run() async throws {
    _ = try await Migrator(Schema.migrations, logger: logger).migrate(pool)
    let environment = ServiceEnvironment.live
    let authenticator = Authenticator(
      tokens: PostgresTokenStore(pool: pool, logger: logger), environment: environment, logger: logger)
    let imports = PostgresImportStore(pool: pool, logger: logger)
    let (queue, news) = (ImportQueue(), ImportNews())
    let applier = ImportApplier(imports: imports, queue: queue, news: news, logger: logger)
    let dispatcher = CallDispatcher(
      router: router(environment: environment, imports: imports, queue: queue, news: news),
      interceptors: [authenticator], logger: logger, mapping: StatusMapping.status(of:))
    let (identity, authority) = try certificate()
    let server = try RPCServer(dispatcher: dispatcher, tls: .server(identity), logger: logger)
    let address = try await server.listen(host: configuration.listen.host, port: configuration.listen.port)
    try await announce(address, authority: authority)
    await withDiscardingTaskGroup { group in
      group.addTask { await applier.run() }
      group.addTask { await authenticator.run() }
      try? await gracefulShutdown()
      logger.info("draining")
      do {
        try await server.drain()
      } catch {
        logger.error("the listener did not stop cleanly", metadata: ["error": "\(error)"])
      }
      group.cancelAll()
    }
  }

  private func router(
    environment: ServiceEnvironment, imports: PostgresImportStore, queue: ImportQueue, news: ImportNews
  ) -> Router {
    let offered = [Comanda_V1_OrderService.name, Comanda_V1_BatchImportService.name]
    let pool = self.pool
    return Router([
      OrderService(orders: PostgresOrderStore(pool: pool, logger: logger), environment: environment),
      BatchImportService(imports: imports, environment: environment, queue: queue, news: news),
      HealthService(services: offered) { await Self.isReachable(pool) },
      Comanda_V1_PaymentService.Unimplemented(),
      Comanda_V1_NotificationService.Unimplemented(),
    ])
  }

  private static func isReachable(_ pool: PostgresPool) async -> Bool {
    (try? await pool.query(Statement("SELECT 1", name: "health", readOnly: true))) != nil
  }

  /// The certificate to present, and (a development one) the authority that signed it.
  private func certificate() throws -> (TLSConfiguration.Identity, authorityFile: String?) {
    if let files = configuration.certificate {
      return (.init(certificateChain: .file(files.certificate), privateKey: .file(files.key)), nil)
    }
    guard case .embedded(let directory, _) = configuration.database else {
      throw ServerError("no certificate: give --tls-cert and --tls-key")
    }
    let names = ListenAddress.isWildcard(configuration.listen.host) ? [] : [configuration.listen.host]
    let development = try DevelopmentCertificates(in: directory + "/tls", names: names)
    return (development.identity, development.authorityFile)
  }

  /// Says on stdout that the server serves; writes the profile of the demonstration business first.
  private func announce(_ address: String, authority: String?) async throws {
    var ready = ReadyLine(listen: address, profile: nil)
    if case .embedded(let directory, _) = configuration.database, let authority {
      let demonstration = Demonstration(
        businesses: PostgresBusinessStore(pool: pool, logger: logger),
        tokens: PostgresTokenStore(pool: pool, logger: logger), environment: .live)
      ready.profile = try await demonstration.writeProfile(
        into: directory, server: ListenAddress.reachable(address), authority: authority)
    }
    try JSONLine.write(ready)
  }
}

/// The line that says that the server serves.
private struct ReadyLine: Encodable {
  let event = "ready"
  var listen: String
  var profile: String?
}

/// Something that keeps the server from running, in words for its operator.
struct ServerError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension ListenAddress {
  /// Whether a host stands for every address of the machine.
  static func isWildcard(_ host: String) -> Bool {
    host == "0.0.0.0" || host == "::"
  }

  /// The address by which a client of the same machine reaches a listener.
  static func reachable(_ address: String) -> String {
    guard let listen = ListenAddress(address), isWildcard(listen.host) else { return address }
    return ListenAddress(host: "127.0.0.1", port: listen.port).description
  }
}
