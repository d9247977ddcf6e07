/// What of a transaction one call's statements are; it decides what travels with them, and what their loss means.
enum TransactionPart: Equatable {
  /// They are in no transaction that we have begun.
  case none
  /// BEGIN goes before them.
  case beginning
  /// They follow a beginning.
  case middle
  /// COMMIT goes behind them.
  case end
  /// BEGIN goes before them and COMMIT behind them: one round trip.
  case whole

  /// Whether losing the connection undoes them for certain: no COMMIT was sent.
  var isUndoneByLoss: Bool {
    switch self {
    case .beginning, .middle: true
    case .none, .end, .whole: false
    }
  }
}
