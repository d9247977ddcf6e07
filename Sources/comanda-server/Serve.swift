import ArgumentParser
import ComandaDomain
import ComandaEmbeddedPostgres
import ComandaPostgres
import ComandaServerConfiguration
import ComandaTelemetry
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// `comanda-server serve`
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve until SIGTERM or SIGINT, then drain and stop.",
    discussion: """
      Settings come from flags, then COMANDA_… environment variables (COMANDA_LISTEN), then the file of --config.
      SIGHUP has it read the files of certificate and ticket keys anew.
      Once it serves it prints one line of JSON on stdout; logs go to stderr.

      Example: comanda-server serve --database-url postgresql://comanda@db/comanda \\
                 --tls-cert server.pem --tls-key server.key --listen 0.0.0.0:7443
      """)

  @OptionGroup(title: "Database")
  var database: DatabaseOptions

  @OptionGroup(title: "Serving")
  var serving: ServingOptions

  func run() async throws {
    let configuration = try ServerConfiguration(database, serving, environment: ProcessInfo.processInfo.environment)
    let bounds = try configuration.bounds()
    let level = configuration.logLevel
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return RepeatLimitedLog(handler)
    }
    let logger = Logger(label: "comanda-server")
    // Before anything takes time: untrapped, the signal would end the process.
    let hangups = await UnixSignalsSequence(trapping: .sighup)
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = []
    let url: String
    switch configuration.database {
    case .url(let database): url = database.text
    case .embedded(let directory, let binaries):
      let postgres = EmbeddedPostgres(directory: directory, binaries: binaries, logger: logger)
      url = try await postgres.start()
      services.append(.init(service: EmbeddedDatabase(postgres: postgres)))
    }
    let pool = try PostgresPool(configuration: PostgresConfiguration(url: url), logger: logger)
    services.append(.init(service: DatabasePool(pool: pool)))
    let platform = OrderPlatform(
      configuration: configuration, bounds: bounds, offersConformance: serving.conformance, pool: pool,
      hangups: hangups, logger: logger)
    services.append(.init(service: platform))
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }
}

/// The private PostgreSQL, supervised; stopped last.
private struct EmbeddedDatabase: Service {
  let postgres: EmbeddedPostgres

  func run() async throws {
    try await cancelWhenGracefulShutdown { try await postgres.run() }
  }
}

/// The connections to the database; closed when nothing needs them any more.
private struct DatabasePool: Service {
  let pool: PostgresPool

  func run() async throws {
    await cancelWhenGracefulShutdown { await pool.run() }
  }
}
