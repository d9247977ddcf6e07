import Testing

@testable import ComandaRPC
@testable import ComandaTransport

@Suite("What a connection is charged")
struct ConnectionMemoryTests {
  private let budget = MemoryBudget(bytes: 1 << 20)
  private let strangers = ResourceAccount(divisor: 8)

  private func memory() -> ConnectionMemory {
    ConnectionMemory(budget, strangers: strangers, strangerBytes: 16 << 10)
  }

  @Test("less than a step costs nobody anything")
  func small() {
    let memory = memory()
    #expect(!memory.isDue(16 << 10))
    #expect(memory.isDue(16 << 10 + 1))
  }

  @Test("a tenant is charged for what its connection holds, in steps, and gets it back")
  func tenant() {
    var memory = memory()
    let account = ResourceAccount()
    memory.belongs(to: account)
    #expect(memory.settle(100_000, isLookingUp: false) == nil)
    #expect(account.heldBytes == 98_304)
    #expect(!memory.isDue(100_000))
    #expect(memory.isDue(50_000))
    #expect(memory.settle(50_000, isLookingUp: false) == nil)
    #expect(account.heldBytes == 49_152)
    memory.end()
    #expect(account.heldBytes == 0)
    #expect(budget.usedBytes == 0)
  }

  @Test("what is more than the tenant's part is refused, and nothing is charged for it")
  func refused() {
    var memory = memory()
    let account = ResourceAccount()
    memory.belongs(to: account)
    #expect(memory.settle(600_000, isLookingUp: false) == .budgetUsed)
    #expect(account.heldBytes == 0)
    #expect(memory.settle(500_000, isLookingUp: false) == nil)
  }

  @Test("a stranger is held to its bytes; while its credential is looked up, all strangers are charged")
  func stranger() {
    var memory = memory()
    #expect(memory.settle(20_000, isLookingUp: false) == .unknown(limit: 16 << 10))
    #expect(budget.usedBytes == 0)
    #expect(memory.settle(100_000, isLookingUp: true) == nil)
    #expect(strangers.heldBytes == 98_304)
    #expect(memory.settle(200_000, isLookingUp: true) == .budgetUsed)
  }

  @Test("once it is known whose the connection is, what it holds is charged to them")
  func identified() {
    var memory = memory()
    #expect(memory.settle(100_000, isLookingUp: true) == nil)
    let account = ResourceAccount()
    memory.belongs(to: account)
    #expect(strangers.heldBytes == 0)
    #expect(memory.isDue(100_000))
    #expect(memory.settle(100_000, isLookingUp: false) == nil)
    #expect(account.heldBytes == 98_304)
    memory.belongs(to: account)
    #expect(account.heldBytes == 98_304)
  }
}
