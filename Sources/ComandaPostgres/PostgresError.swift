/// Why a database call failed.
///
/// ``description`` is safe to log and to count: it holds no SQL, no values and no text of the server's.
/// What the server said is in ``detailForLog``, which may quote data and is for an operator's eyes only.
public struct PostgresError: Error, Sendable, Equatable {
  /// What went wrong, as far as the caller can act on it.
  public enum Kind: Sendable, Equatable {
    /// The server refused; ``PostgresError/sqlState`` says why.
    case server
    /// The server stopped the statement at `statement_timeout`.
    case statementTimeout
    /// The connection broke before anything that could have taken effect was sent: safe to send again.
    case connectionLostNotStarted
    /// The connection broke after the statement was sent: it may or may not have taken effect.
    case connectionLostOutcomeUnknown
    /// No connection was to be had within the acquire timeout: the database is down, unreachable or overloaded.
    case unavailable
    /// As many calls wait already as may wait.
    case poolExhausted
    /// The pool is shut down, or the lease has ended.
    case closed
    /// A parameter cannot be sent: out of range, or too many of them.
    case invalidParameter
    /// A result is not what the caller reads it as: wrong type, wrong column, NULL.
    case decoding
    /// The configuration cannot be used.
    case configuration
    /// The connection is busy with something that excludes this call, or the statement is of the wrong sort.
    case misuse
    /// The embedded migrations and those in the database do not fit each other.
    case migration
  }

  /// What went wrong.
  public var kind: Kind
  /// The server's code, where the server spoke.
  public var sqlState: SQLState?
  /// The server's severity, not localised: `ERROR`, `FATAL` or `PANIC`.
  public var severity: String?
  /// The name of the statement that failed.
  public var statementName: String?
  /// Which statement of a transaction or pipeline failed, from 0.
  public var statementIndex: Int?
  /// Where in the statement's text the server saw the error, in characters from 1.
  public var position: Int?
  /// A sentence without data.
  public var message: String
  /// The server's own words. May contain data of people: never part of an answer to a client.
  public var detailForLog: String?

  init(_ kind: Kind, _ message: String, sqlState: SQLState? = nil, detailForLog: String? = nil) {
    self.kind = kind
    self.message = message
    self.sqlState = sqlState
    self.detailForLog = detailForLog
  }

  /// Whether the same transaction, sent again, may well succeed, and sending it again cannot do its work twice.
  public var isRetryable: Bool {
    switch kind {
    case .connectionLostNotStarted, .unavailable, .poolExhausted: true
    case .server: sqlState?.isTransient ?? false
    default: false
    }
  }
}

extension PostgresError: CustomStringConvertible {
  /// What happened, to which statement, with the server's code; without SQL, values or the server's words.
  public var description: String {
    var text = message
    if let statementName { text += ", statement \(statementName)" }
    if let statementIndex { text += ", number \(statementIndex)" }
    if let position { text += ", at character \(position)" }
    if let sqlState { text += " (SQLSTATE \(sqlState))" }
    return text
  }
}

extension PostgresError {
  static func connectionLost(outcomeUnknown: Bool, cause: PostgresError? = nil) -> PostgresError {
    outcomeUnknown
      ? PostgresError(
        .connectionLostOutcomeUnknown, "the database connection broke while the statement ran, its outcome is unknown",
        sqlState: cause?.sqlState, detailForLog: cause?.detailForLog)
      : PostgresError(
        .connectionLostNotStarted, "the database connection broke before the statement was sent",
        sqlState: cause?.sqlState, detailForLog: cause?.detailForLog)
  }

  static let poolClosed = PostgresError(.closed, "the database pool is shut down")
  static let leaseEnded = PostgresError(.closed, "the leased database connection was given back already")
}
