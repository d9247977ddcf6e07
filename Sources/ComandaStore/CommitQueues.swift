import ComandaDomain

/// Gathers what concurrent callers want to commit into batches: while a business's batch is on its way, whoever comes
/// waits for the next one. There is no timer: a caller who is alone waits for nobody.
///
/// A batch belongs to one business, since one over several would wait for each of their locks. Pure: no I/O.
struct CommitQueues<Answer> {
  /// One order that wants to be committed.
  struct Entry {
    let order: NewOrder
    let mutation: Mutation
    let answer: Answer
  }

  /// Orders of one batch; more gain nothing.
  static var batchLimit: Int { 100 }

  /// Items of one batch of several orders: large ones would keep a connection that all share, and the business's row.
  static var batchItemLimit: Int { 1_000 }

  /// Orders of one business that may wait: some twenty batches, which take less than a second.
  static var waitingLimit: Int { 2_048 }

  enum OnAdd {
    /// Commit this batch now.
    case commit([Entry])
    /// It goes with a later batch.
    case wait
    /// As many of the business's orders wait as may.
    case refuse
  }

  /// Who waits, for each business that has a batch on its way.
  private var waiting: [BusinessID: [Entry]] = [:]

  /// Adds an order.
  mutating func add(_ entry: Entry, of business: BusinessID) -> OnAdd {
    guard let count = waiting[business]?.count else {
      waiting[business] = []
      return .commit([entry])
    }
    guard count < Self.waitingLimit else { return .refuse }
    waiting[business, default: []].append(entry)
    return .wait
  }

  /// Tells that the business's batch has ended, however it did.
  ///
  /// - Returns: The next batch to commit; empty when nobody waits.
  mutating func batchEnded(of business: BusinessID) -> [Entry] {
    guard let entries = waiting[business], let first = entries.first else {
      waiting[business] = nil
      return []
    }
    // One statement must not meet the same key twice; those who repeat one wait for the batch after.
    var externalIDs: Set<String> = []
    var requestIDs: Set<String> = []
    var batch: [Entry] = []
    var rest: [Entry] = []
    var itemRoom = Self.batchItemLimit
    for entry in entries {
      let request = entry.mutation.request?.id
      let isDistinct =
        !externalIDs.contains(entry.order.content.externalID) && !(request.map(requestIDs.contains) ?? false)
      let items = entry.order.content.items.count
      let fits = batch.count < Self.batchLimit && (items <= itemRoom || batch.isEmpty)
      if fits, isDistinct, entry.mutation.method == first.mutation.method {
        itemRoom = max(0, itemRoom - items)  // bounded: an order has at most 500
        externalIDs.insert(entry.order.content.externalID)
        if let request { requestIDs.insert(request) }
        batch.append(entry)
      } else {
        rest.append(entry)
      }
    }
    waiting[business] = rest
    return batch
  }
}

extension CommitQueues.Entry: Sendable where Answer: Sendable {}

extension CommitQueues.OnAdd: Sendable where Answer: Sendable {}
