import ComandaEmbeddedPostgres
import ComandaPostgres
import ComandaServerConfiguration
import ComandaStore
import Foundation
import Logging

/// Runs one administrative task against the database of a server, whether the server runs or not.
enum Administration {
  static func run<Result: Sendable>(
    on options: DatabaseOptions, _ body: @Sendable (PostgresPool, Logger) async throws -> Result
  ) async throws -> Result {
    let database = try DatabaseConfiguration(options, environment: ProcessInfo.processInfo.environment)
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = .warning
      return handler
    }
    let logger = Logger(label: "comanda-server")
    switch database {
    case .url(let url): return try await run(at: url.text, logger, body)
    case .embedded(let directory, let binaries):
      if let url = EmbeddedPostgres.connectionURL(ofRunning: directory) { return try await run(at: url, logger, body) }
      let postgres = EmbeddedPostgres(directory: directory, binaries: binaries, logger: logger)
      let url = try await postgres.start()
      do {
        let result = try await run(at: url, logger, body)
        await postgres.stop()
        return result
      } catch {
        await postgres.stop()
        throw error
      }
    }
  }

  private static func run<Result: Sendable>(
    at url: String, _ logger: Logger, _ body: @Sendable (PostgresPool, Logger) async throws -> Result
  ) async throws -> Result {
    let pool = try PostgresPool(configuration: PostgresConfiguration(url: url), logger: logger)
    do {
      _ = try await Migrator(Schema.migrations, logger: logger).migrate(pool)
      let result = try await body(pool, logger)
      await pool.shutDown()
      return result
    } catch {
      await pool.shutDown()
      throw error
    }
  }
}
