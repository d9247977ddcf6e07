extension PostgresError {
  static let busy = PostgresError(
    .misuse, "the connection is busy: COPY, scripts and row streams need it to themselves")
  static let transactionOnSharedConnection = PostgresError(
    .misuse, "a transaction was begun on a shared connection, which is closed: lease one, or use transaction")
  static let rolledBack = PostgresError(
    .server, "the transaction had failed before and was rolled back", sqlState: .inFailedTransaction)
  static let nestedTransaction = PostgresError(.misuse, "a transaction was begun inside of another")
  static let noTransaction = PostgresError(.misuse, "commit was called outside of a transaction")
  static let transactionEnded = PostgresError(
    .misuse, "a statement came after commit: the transaction's last statements go along with it")
  static let copyInScript = PostgresError(.misuse, "COPY FROM STDIN in a script: its data has no way in")
  static let cancelledBeforeSent = PostgresError(
    .statementTimeout, "cancelled before it was sent", sqlState: .queryCanceled)
}
