import CLibPQ

extension ResultHandle {
  /// Whether everything that follows on the connection would be part of this statement's transaction.
  var beginsTransaction: Bool {
    guard status == PGRES_COMMAND_OK else { return false }
    let tag = commandTag
    return tag == "BEGIN" || tag == "START TRANSACTION"
  }

  /// What the connection's machine makes of it; nil for what no statement of ours may give.
  var reply: PGConnectionStateMachine<Call>.Reply? {
    switch status {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return .success
    case PGRES_SINGLE_TUPLE: return .row
    case PGRES_PIPELINE_ABORTED: return .skipped
    case PGRES_PIPELINE_SYNC: return .sync
    case PGRES_COPY_IN: return .copyIn
    case PGRES_FATAL_ERROR:
      let state = field(PostgresDiagnostic.sqlState).map(SQLState.init)
      if state == .inFailedTransaction { return .failure(.inFailedTransaction) }
      return .failure(state?.isStalePlan == true ? .stalePreparation : .ordinary)
    default: return nil
    }
  }
}
