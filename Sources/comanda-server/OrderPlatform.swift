import ComandaConformanceService
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
import UnixSignals

/// The composition root: joins stores, services, background work and the listener, and runs them until shutdown.
struct OrderPlatform: Service {
  let configuration: ServerConfiguration
  let bounds: ServerBounds
  let offersConformance: Bool
  let pool: PostgresPool
  /// SIGHUPs since the process began.
  let hangups: UnixSignalsSequence
  let logger: Logger

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown {
        _ = try await Migrator(Schema.migrations, logger: logger).migrate(pool)
      }
    } catch {
      guard Task.isShuttingDownGracefully else { throw error }
      // Told to stop while the database was waited for: nothing serves yet that would have to drain.
      return
    }
    let environment = ServiceEnvironment.live
    let authenticator = Authenticator(
      tokens: PostgresTokenStore(pool: pool, logger: logger), environment: environment, logger: logger)
    let imports = PostgresImportStore(pool: pool, logger: logger)
    let (queue, news) = (ImportQueue(), ImportNews())
    let applier = ImportApplier(imports: imports, queue: queue, news: news, logger: logger)
    let router = router(environment: environment, imports: imports, queue: queue, news: news)
    let dispatcher = CallDispatcher(
      router: router, interceptors: [CallMetrics(router), CallLog(logger), authenticator], limits: bounds.calls,
      logger: logger, mapping: StatusMapping.status(of:))
    let (identity, authority) = try certificate()
    let clientAuthority = configuration.clientAuthority.map { TLSConfiguration.PEM.file($0) }
    let tls = TLSConfiguration.server(identity, clientAuthority: clientAuthority)
    let server = try RPCServer(
      dispatcher: dispatcher, tls: tls, settings: bounds.settings,
      tickets: configuration.ticketKeys.map { try TicketKeys(file: $0) }, logger: logger)
    do {
      var addresses: [String] = []
      for listen in configuration.listen { addresses.append(try await server.listen(on: listen.listener)) }
      try await announce(addresses, authority: authority)
    } catch {
      try? await server.drain()
      throw error
    }
    await withDiscardingTaskGroup { group in
      group.addTask { await applier.run() }
      group.addTask { await authenticator.run() }
      group.addTask { await reload(tls, of: server) }
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

  /// Reads the certificate's files, and that of the ticket keys, anew at every SIGHUP.
  private func reload(_ tls: TLSConfiguration, of server: RPCServer) async {
    for await _ in hangups {
      do {
        try server.reload(tls)
        logger.notice("the certificate was read anew; new connections get it")
      } catch {
        logger.error("the certificate cannot be read anew; the old one stays", metadata: ["error": "\(error)"])
      }
    }
  }

  private func router(
    environment: ServiceEnvironment, imports: PostgresImportStore, queue: ImportQueue, news: ImportNews
  ) -> Router {
    let offered = [Comanda_V1_OrderService.name, Comanda_V1_BatchImportService.name]
    let pool = self.pool
    var router = Router([
      OrderService(orders: PostgresOrderStore(pool: pool, logger: logger), environment: environment),
      BatchImportService(imports: imports, environment: environment, queue: queue, news: news),
      HealthService(services: offered) { await Self.isReachable(pool) },
      Comanda_V1_PaymentService.Unimplemented(),
      Comanda_V1_NotificationService.Unimplemented(),
    ])
    for method in OrderService.withheld + BatchImportService.withheld { router.withhold(method) }
    if offersConformance { router.register(ConformanceService()) }
    return router
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
    let names = configuration.listen.compactMap(\.host).filter { !ListenAddress.isWildcard($0) }
    let development = try DevelopmentCertificates(in: directory + "/tls", names: names)
    return (development.identity, development.authorityFile)
  }

  /// Says on stdout that the server serves; writes the profile of the demonstration business first.
  private func announce(_ addresses: [String], authority: String?) async throws {
    guard let address = addresses.first else { return }
    var ready = ReadyLine(listen: address, addresses: addresses, profile: nil)
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
  /// The first address.
  var listen: String
  var addresses: [String]
  var profile: String?
}

/// Something that keeps the server from running, in words for its operator.
struct ServerError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension Listen {
  var listener: ServerListener {
    switch socket {
    case .tcp(let address):
      ServerListener(.tcp(host: address.host, port: address.port), expectsProxyHeader: isProxied)
    case .unix(let path): ServerListener(.unix(path: path), expectsProxyHeader: isProxied)
    }
  }

  /// The host, of a TCP port.
  var host: String? {
    if case .tcp(let address) = socket { address.host } else { nil }
  }
}

extension ServerConfiguration {
  /// The times and bounds to run with.
  func bounds() throws -> ServerBounds {
    var bounds = ServerBounds()
    for limit in limits {
      do {
        try bounds.set(limit.name, to: limit.value)
      } catch {
        throw ConfigurationError("\(limit.origin): \(error)")
      }
    }
    return bounds
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
