/// A five-character SQLSTATE: PostgreSQL's stable code for an outcome.
///
/// Decide on these alone. Constraint and table names differ on Citus, and messages are localised.
/// The full list is appendix A of PostgreSQL's documentation.
public struct SQLState: Sendable, Hashable, CustomStringConvertible {
  /// The five characters, e.g. `23505`.
  public let code: String

  /// Makes a state out of its five characters.
  public init(_ code: String) {
    self.code = code
  }

  /// The first two characters: the class of conditions that this one belongs to.
  public var classCode: Substring { code.prefix(2) }

  /// The five characters.
  public var description: String { code }
}

extension SQLState {
  /// 22001: a text is longer than its column allows.
  public static let stringDataRightTruncation = SQLState("22001")
  /// 22003: a number does not fit its type.
  public static let numericValueOutOfRange = SQLState("22003")
  /// 22021: bytes are not valid in the database's encoding; a NUL in a text too.
  public static let characterNotInRepertoire = SQLState("22021")
  /// 23502: NULL in a column that forbids it.
  public static let notNullViolation = SQLState("23502")
  /// 23503: a foreign key points at nothing.
  public static let foreignKeyViolation = SQLState("23503")
  /// 23505: a unique key exists already.
  public static let uniqueViolation = SQLState("23505")
  /// 23514: a CHECK refused the row.
  public static let checkViolation = SQLState("23514")
  /// 0A000: not supported; also "cached plan must not change result type" after a change of schema.
  public static let featureNotSupported = SQLState("0A000")
  /// 25006: a write on a read-only server, as after a failover.
  public static let readOnlyTransaction = SQLState("25006")
  /// 25P02: the transaction has failed already and must be rolled back.
  public static let inFailedTransaction = SQLState("25P02")
  /// 25P03: the server ended a session that kept a transaction idle for too long.
  public static let idleInTransactionSessionTimeout = SQLState("25P03")
  /// 26000: the server does not know the prepared statement.
  public static let invalidStatementName = SQLState("26000")
  /// 28000: this user may not connect.
  public static let invalidAuthorization = SQLState("28000")
  /// 28P01: wrong password.
  public static let invalidPassword = SQLState("28P01")
  /// 3D000: the database does not exist.
  public static let invalidCatalogName = SQLState("3D000")
  /// 40001: serialization failure; run the transaction again.
  public static let serializationFailure = SQLState("40001")
  /// 40P01: deadlock; run the transaction again.
  public static let deadlockDetected = SQLState("40P01")
  /// 42601: syntax error.
  public static let syntaxError = SQLState("42601")
  /// 42P01: no such table.
  public static let undefinedTable = SQLState("42P01")
  /// 42P05: a prepared statement of this name exists already.
  public static let duplicatePreparedStatement = SQLState("42P05")
  /// 53300: the server has no connection left.
  public static let tooManyConnections = SQLState("53300")
  /// 55P03: a lock was not to be had within `lock_timeout`, or with NOWAIT.
  public static let lockNotAvailable = SQLState("55P03")
  /// 57014: cancelled, by request or by `statement_timeout`.
  public static let queryCanceled = SQLState("57014")
  /// 57P01: an administrator closed the connection, or the server shuts down.
  public static let adminShutdown = SQLState("57P01")
  /// 57P02: another server process crashed.
  public static let crashShutdown = SQLState("57P02")
  /// 57P03: the server starts up or shuts down and accepts no connection yet.
  public static let cannotConnectNow = SQLState("57P03")
  /// 58030: the server could not read or write one of its files.
  public static let ioError = SQLState("58030")
}

extension SQLState {
  /// Whether the same transaction, sent again, may well succeed.
  var isTransient: Bool {
    switch self {
    case .serializationFailure, .deadlockDetected, .lockNotAvailable, .adminShutdown,
      .crashShutdown, .cannotConnectNow, .readOnlyTransaction, .idleInTransactionSessionTimeout, .ioError:
      true
    // 08: on its way to another server, as on Citus, the connection broke. 53: disk, memory or connections ran out.
    default: classCode == "08" || classCode == "53"
    }
  }

  /// Whether trying to connect again cannot help before somebody changes something.
  var isPermanentConnectFailure: Bool {
    self == .invalidCatalogName || classCode == "28"
  }

  /// Whether a prepared statement was refused because the server no longer has it, or not in this shape.
  /// The refused statement has had no effect, so it may be prepared and sent again.
  var isStalePlan: Bool {
    self == .invalidStatementName || self == .featureNotSupported
  }
}
