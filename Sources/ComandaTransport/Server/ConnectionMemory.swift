import ComandaRPC

/// What the requests and answers of one connection hold, and who is charged for it. Pure, but for the budget that all
/// connections share.
///
/// A connection is charged in steps, so that small calls cost neither a lock nor a look at the budget: what it holds may
/// differ from what is charged by less than a step. Whoever is unknown is not charged but held to a few KiB a
/// connection; while it is being found out who calls, the account of all strangers is charged.
struct ConnectionMemory {
  /// What may be held without being charged.
  static let step = 16 << 10

  private let budget: MemoryBudget
  private let strangers: ResourceAccount
  private let strangerBytes: Int
  /// Whose the connection is, once that is known.
  private(set) var account: ResourceAccount?
  private var payer: ResourceAccount?
  private var charged = 0

  /// Nothing is held.
  /// - Parameter strangerBytes: what a connection may hold while nobody knows whose it is.
  init(_ budget: MemoryBudget, strangers: ResourceAccount, strangerBytes: Int) {
    self.budget = budget
    self.strangers = strangers
    self.strangerBytes = strangerBytes
  }

  /// What the answer to holding too much is.
  enum Refusal: Equatable {
    /// The server's memory is scarce, or the account has its part of it.
    case budgetUsed
    /// Nobody knows whose the connection is.
    case unknown(limit: Int)
  }

  /// Whether to settle, now that the connection holds so many bytes.
  func isDue(_ held: Int) -> Bool {
    held > charged + Self.step || held + Self.step < charged
  }

  /// Charges or gives back what has changed; returns why the connection may not hold so much.
  /// - Parameter isLookingUp: whether it is being found out who calls.
  mutating func settle(_ held: Int, isLookingUp: @autoclosure () -> Bool) -> Refusal? {
    let wanted = held - held % Self.step
    if wanted <= charged {
      give(back: charged - wanted)
      return nil
    }
    guard let payer = account ?? (isLookingUp() ? strangers : nil) else {
      return held > strangerBytes ? .unknown(limit: strangerBytes) : nil
    }
    if self.payer !== payer { give(back: charged) }
    guard budget.charge(wanted - charged, to: payer) else { return .budgetUsed }
    self.payer = payer
    charged = wanted
    return nil
  }

  /// It is known whose the connection is from now on; what is charged is charged anew.
  mutating func belongs(to account: ResourceAccount) {
    if self.account === account { return }
    give(back: charged)
    self.account = account
  }

  /// Nothing is held any more.
  mutating func end() {
    give(back: charged)
  }

  private mutating func give(back bytes: Int) {
    if bytes == 0 { return }
    payer.map { budget.release(bytes, from: $0) }
    charged -= bytes
  }
}
