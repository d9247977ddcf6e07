extension PostgresError {
  static let busy = PostgresError(
    .misuse, "the connection is busy: COPY, scripts and row streams need it to themselves")
  static let transactionOnSharedConnection = PostgresError(
    .misuse, "a transaction was begun on a shared connection, which is closed: lease one, or use transaction")
  static let copyInScript = PostgresError(.misuse, "COPY FROM STDIN in a script: its data has no way in")
  static let cancelledBeforeSent = PostgresError(
    .statementTimeout, "cancelled before it was sent", sqlState: .queryCanceled)
}
