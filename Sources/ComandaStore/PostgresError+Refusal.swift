import ComandaPostgres

extension SQLState {
  /// XX000: a defect of the server, or, on Citus, a violation inside of a COPY or an INSERT … SELECT.
  static let internalError = SQLState("XX000")
}

extension PostgresError {
  /// Whether the database refused what the rows hold: a value that does not fit its type (class 22), something that is
  /// too large for the database (class 54), a CHECK that is not fulfilled. Citus tells of any violation inside of an
  /// INSERT … SELECT by XX000; whether single rows are to blame for one, trying them tells.
  var isRefusalOfData: Bool {
    guard kind == .server, let sqlState else { return false }
    return ["22", "54"].contains(sqlState.classCode) || [.checkViolation, .internalError].contains(sqlState)
  }

  /// Whether the error lies with what surrounds the database or with other transactions, so that trying again helps
  /// sooner or later: the connection (class 08), conflicts (40), resources such as the disk (53), another's lock (55),
  /// an operator (57), the system (58).
  var passesByItself: Bool {
    switch kind {
    case .connectionLostNotStarted, .connectionLostOutcomeUnknown, .unavailable, .poolExhausted, .closed: true
    case .server: isRetryable || ["08", "40", "53", "55", "57", "58"].contains(sqlState?.classCode)
    case .statementTimeout, .invalidParameter, .decoding, .configuration, .misuse, .migration: false
    }
  }
}
