import Synchronization

/// The memory that a server gives to requests and answers, divided among the accounts of its tenants.
///
/// An account may grow while it holds no more than what is free then (dynamic thresholds, Choudhury and Hahne 1998): one
/// that wants everything gets half, the next one still a quarter, and whoever needs little is never refused. No account
/// has a fixed share, which would be too small for one tenant and wasted on the others.
public final class MemoryBudget: Sendable {
  /// Bytes in all.
  public let bytes: Int
  private let use = Mutex((now: 0, most: 0))

  /// A budget of which nothing is used.
  public init(bytes: Int) {
    self.bytes = max(0, bytes)
  }

  /// Bytes that are charged to accounts.
  public var usedBytes: Int {
    use.withLock { $0.now }
  }

  /// Bytes that are charged to accounts, and the most that were since this was asked last.
  public func takePeak() -> (now: Int, most: Int) {
    use.withLock { use in
      defer { use.most = use.now }
      return use
    }
  }

  /// Charges bytes to an account; false when it may not grow by so many.
  public func charge(_ bytes: Int, to account: ResourceAccount) -> Bool {
    use.withLock { use in
      let held = account.held.load(ordering: .relaxed)
      let free = self.bytes - min(use.now, self.bytes)
      guard bytes <= Self.growth(of: held, free: free, share: self.bytes / account.divisor) else { return false }
      use.now += bytes
      use.most = max(use.most, use.now)
      account.held.store(held + bytes, ordering: .relaxed)
      return true
    }
  }

  /// Gives back what was charged to an account.
  public func release(_ bytes: Int, from account: ResourceAccount) {
    use.withLock { use in
      use.now -= min(bytes, use.now)
      let held = account.held.load(ordering: .relaxed)
      account.held.store(held - min(bytes, held), ordering: .relaxed)
    }
  }

  /// By how much an account may grow that holds so much: until what it holds is what is left free, or its share.
  static func growth(of held: Int, free: Int, share: Int) -> Int {
    max(0, min((free - held) / 2, share - held))
  }
}
