import ComandaDomain
import ComandaPostgres
import Logging

/// Turns errors of the database into those of the domain, in one place.
struct StoreErrors: Sendable {
  let logger: Logger

  /// How often a transaction is begun on one connection after another, when its own broke before it could have committed:
  /// a restarted database breaks all idle ones, and each is found out once.
  private static let attempts = 3

  /// Runs `body`, which is one transaction or only reads; what it throws leaves as ``DomainError`` or
  /// `CancellationError`.
  nonisolated(nonsending) func translating<Value>(
    _ body: nonisolated(nonsending) () async throws -> Value
  ) async throws -> Value {
    var attempt = 1
    while true {
      do {
        return try await body()
      } catch let error as PostgresError where error.kind == .connectionLostNotStarted && attempt < Self.attempts {
        attempt += 1
      } catch let error as PostgresError {
        throw translated(error)
      } catch is UnknownStoredValue {
        logger.error("the database holds a value that this program does not know; is it older than the schema?")
        throw DomainError.fault
      }
    }
  }

  private func translated(_ error: PostgresError) -> DomainError {
    switch error.kind {
    case .connectionLostNotStarted, .unavailable, .poolExhausted, .closed, .statementTimeout:
      return .storeUnavailable(mayHaveTakenEffect: false)
    case .connectionLostOutcomeUnknown:
      return .storeUnavailable(mayHaveTakenEffect: true)
    case .server where error.sqlState == .serializationFailure || error.sqlState == .deadlockDetected,
      .server where error.sqlState == .lockNotAvailable:
      return .aborted
    case .server where error.isRetryable:
      return .storeUnavailable(mayHaveTakenEffect: false)
    case .server, .invalidParameter, .decoding, .configuration, .misuse, .migration:
      // The error's description holds no data; the server's own words might, and stay out of the log.
      logger.error("a statement failed", metadata: ["error": "\(error)"])
      return .fault
    }
  }
}
