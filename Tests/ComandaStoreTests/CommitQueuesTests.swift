import ComandaDomain
import Testing

@testable import ComandaStore

@Suite("Queues of a group commit")
struct CommitQueuesTests {
  private let one: BusinessID = newID(1)
  private let two: BusinessID = newID(2)

  private func entry(
    _ number: Int, externalID: String? = nil, request: String? = nil, method: String = "Create", items: Int = 2
  ) throws -> CommitQueues<Int>.Entry {
    let now = Timestamp(microseconds: 1_795_000_000_000_000)
    var order = draft(externalID ?? "A-\(number)")
    if let item = order.items.last { order.items = Array(repeating: item, count: items) }
    let content = try order.validated(now: now)
    var scratch: [UInt8] = []
    return CommitQueues.Entry(
      order: NewOrder(
        id: newID(UInt64(number)), content: content,
        fingerprint: ContentFingerprint(of: content, scratch: &scratch, sha256: hash)),
      mutation: Mutation(
        actor: newID(3), method: method, at: now,
        request: try request.map { try RequestKey(id: $0, fingerprint: digest(1)) }),
      answer: number)
  }

  @Test("who is alone goes at once; who comes meanwhile goes together with the next batch")
  func gathers() throws {
    var queues = CommitQueues<Int>()
    #expect(queues.add(try entry(1), of: one).batch == [1])
    for number in 2...4 { #expect(queues.add(try entry(number), of: one).batch == []) }
    #expect(queues.batchEnded(of: one).map(\.answer) == [2, 3, 4])
    #expect(queues.batchEnded(of: one).isEmpty)
    #expect(queues.add(try entry(5), of: one).batch == [5])
  }

  @Test("one business never waits for another")
  func businesses() throws {
    var queues = CommitQueues<Int>()
    #expect(queues.add(try entry(1), of: one).batch == [1])
    #expect(queues.add(try entry(2), of: two).batch == [2])
    #expect(queues.add(try entry(3), of: two).batch == [])
    #expect(queues.batchEnded(of: one).isEmpty)
    #expect(queues.batchEnded(of: two).map(\.answer) == [3])
  }

  @Test("a batch holds no external id, no request id and one method only; nobody is lost")
  func bounds() throws {
    var queues = CommitQueues<Int>()
    _ = queues.add(try entry(0), of: one)
    let waiting = [
      try entry(1, externalID: "X"), try entry(2, externalID: "X"), try entry(3, request: "r"),
      try entry(4, request: "r"), try entry(5, method: "Other"), try entry(6),
    ]
    for entry in waiting { _ = queues.add(entry, of: one) }
    #expect(queues.batchEnded(of: one).map(\.answer) == [1, 3, 6])
    #expect(queues.batchEnded(of: one).map(\.answer) == [2, 4])
    #expect(queues.batchEnded(of: one).map(\.answer) == [5])
    #expect(queues.batchEnded(of: one).isEmpty)
  }

  @Test("a batch has at most a hundred orders")
  func limit() throws {
    var queues = CommitQueues<Int>()
    _ = queues.add(try entry(0), of: one)
    for number in 1...250 { _ = queues.add(try entry(number), of: one) }
    #expect(queues.batchEnded(of: one).map(\.answer) == Array(1...100))
    #expect(queues.batchEnded(of: one).map(\.answer) == Array(101...200))
    #expect(queues.batchEnded(of: one).map(\.answer) == Array(201...250))
    #expect(queues.batchEnded(of: one).isEmpty)
  }

  @Test("a batch of large orders has fewer, and one that is larger than a batch goes alone")
  func itemLimit() throws {
    var queues = CommitQueues<Int>()
    _ = queues.add(try entry(0), of: one)
    for (number, items) in [(1, 400), (2, 500), (3, 101), (4, 100), (5, 500), (6, 1)] {
      _ = queues.add(try entry(number, items: items), of: one)
    }
    #expect(queues.batchEnded(of: one).map(\.answer) == [1, 2, 4])
    #expect(queues.batchEnded(of: one).map(\.answer) == [3, 5, 6])
    #expect(queues.batchEnded(of: one).isEmpty)
  }

  @Test("beyond the bound a business's orders are refused, and another's are not")
  func waitingLimit() throws {
    var queues = CommitQueues<Int>()
    let entry = try entry(1)
    _ = queues.add(entry, of: one)
    for _ in 0..<CommitQueues<Int>.waitingLimit { #expect(queues.add(entry, of: one).batch == []) }
    #expect(queues.add(entry, of: one).batch == nil)
    #expect(queues.add(entry, of: two).batch == [1])
  }
}

extension CommitQueues<Int>.OnAdd {
  /// The batch to commit now, empty when the order waits; nil when it is refused.
  fileprivate var batch: [Int]? {
    switch self {
    case .commit(let entries): entries.map(\.answer)
    case .wait: []
    case .refuse: nil
    }
  }
}
