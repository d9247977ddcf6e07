import ComandaRPC
import FoundationEssentials
import Synchronization

/// The account of each tenant that calls, by the business's id or, for the platform's services, the token's.
final class TenantAccounts: Sendable {
  /// Accounts kept; beyond it those that nobody uses at the moment are forgotten.
  private static let kept = 10_000

  private let accounts = Mutex<[UUID: ResourceAccount]>([:])

  func account(of tenant: UUID) -> ResourceAccount {
    accounts.withLock { accounts in
      if let known = accounts[tenant] { return known }
      if accounts.count >= Self.kept { accounts = accounts.filter { !$0.value.isIdle } }
      let account = ResourceAccount()
      accounts[tenant] = account
      return account
    }
  }
}

extension ResourceAccount {
  fileprivate var isIdle: Bool { running == (0, 0) && heldBytes == 0 }
}
