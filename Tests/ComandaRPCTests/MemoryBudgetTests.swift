import Testing

@testable import ComandaRPC

@Suite("The memory that tenants share")
struct MemoryBudgetTests {
  /// Grows an account by a KiB at a time, until it is refused; what it then holds.
  private func fill(_ account: ResourceAccount, of budget: MemoryBudget) -> Int {
    while budget.charge(1_024, to: account) {}
    return account.heldBytes
  }

  @Test("one account that wants everything gets half, the next a quarter, a third an eighth")
  func shares() {
    let budget = MemoryBudget(bytes: 1 << 20)
    let accounts = (0..<3).map { _ in ResourceAccount() }
    #expect(accounts.map { fill($0, of: budget) } == [512 << 10, 256 << 10, 128 << 10])
    #expect(budget.usedBytes == 896 << 10)
  }

  @Test("who holds little may grow beside those who took all that they could")
  func small() {
    let budget = MemoryBudget(bytes: 1 << 20)
    for _ in 0..<3 { _ = fill(ResourceAccount(), of: budget) }
    #expect(budget.charge(64 << 10, to: ResourceAccount()))
  }

  @Test("strangers have an eighth together, however much is free")
  func strangers() {
    let budget = MemoryBudget(bytes: 1 << 20)
    #expect(fill(ResourceAccount(divisor: 8), of: budget) == 128 << 10)
  }

  @Test("what is given back can be had again, and no more than that")
  func release() {
    let budget = MemoryBudget(bytes: 1 << 20)
    let account = ResourceAccount()
    #expect(budget.charge(512 << 10, to: account))
    #expect(!budget.charge(1, to: account))
    budget.release(1 << 30, from: account)
    #expect(account.heldBytes == 0)
    #expect(budget.usedBytes == 0)
    #expect(budget.charge(512 << 10, to: account))
  }

  @Test("no size overflows a decision", arguments: [0, 1, Int.max])
  func extremes(bytes: Int) {
    #expect(MemoryBudget(bytes: bytes).charge(Int.max, to: ResourceAccount()) == false)
    #expect(MemoryBudget(bytes: -1).charge(1, to: ResourceAccount()) == false)
  }
}
