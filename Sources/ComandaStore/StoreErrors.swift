import ComandaDomain
import ComandaPostgres
import Logging

/// Turns errors of the database into those of the domain, in one place.
struct StoreErrors: Sendable {
  let logger: Logger

  /// Runs `body`, which is one transaction or only reads; what it throws leaves as ``DomainError`` or
  /// `CancellationError`.
  nonisolated(nonsending) func translating<Value>(
    _ body: nonisolated(nonsending) () async throws -> Value
  ) async throws -> Value {
    var attempt = 1
    while true {
      do {
        return try await body()
      } catch let error as PostgresError where attempt < error.attempts {
        attempt += 1  // bounded: by the error's attempts
      } catch {
        throw translated(error)
      }
    }
  }

  /// The same for reads that may look at much: one that the database stopped at its time limit was asked for too much, and
  /// asking again would only have it do the same work again.
  nonisolated(nonsending) func translatingReport<Value>(
    _ body: nonisolated(nonsending) () async throws -> Value
  ) async throws -> Value {
    try await translating {
      do {
        return try await body()
      } catch let error as PostgresError where error.kind == .statementTimeout {
        throw DomainError.tooSlow
      }
    }
  }

  /// What is not the database's stays as it is.
  func translated(_ error: any Error) -> any Error {
    switch error {
    case let error as PostgresError: return translated(error)
    case is UnknownStoredValue:
      logger.error("the database holds a value that this program does not know; is it older than the schema?")
      return DomainError.fault
    default: return error
    }
  }

  private func translated(_ error: PostgresError) -> DomainError {
    switch error.kind {
    case .poolExhausted:
      return .tooManyCalls
    case .connectionLostNotStarted, .unavailable, .closed, .statementTimeout:
      return .storeUnavailable(mayHaveTakenEffect: false)
    case .connectionLostOutcomeUnknown:
      return .storeUnavailable(mayHaveTakenEffect: true)
    case .server where error.lostToAnotherWriter:
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

extension PostgresError {
  /// Whether another transaction was in the way; nothing of this one stays.
  fileprivate var lostToAnotherWriter: Bool {
    sqlState == .serializationFailure || sqlState == .deadlockDetected || sqlState == .lockNotAvailable
  }

  /// How often a transaction that ends like this is run at most. A restarted database breaks all idle connections, and
  /// each is found out once. Whoever holds a lock for longer than another waits for it is gone at the second attempt: a
  /// frozen program's transaction ends at the idle timeout, which is shorter than the wait.
  fileprivate var attempts: Int {
    if kind == .connectionLostNotStarted { return 3 }
    return kind == .server && lostToAnotherWriter ? 2 : 1
  }
}
