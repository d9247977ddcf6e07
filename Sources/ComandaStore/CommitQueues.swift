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

  /// Who waits, for each business that has a batch on its way.
  private var waiting: [BusinessID: [Entry]] = [:]

  /// Adds an order.
  ///
  /// - Returns: The batch to commit now; empty when the order waits.
  mutating func add(_ entry: Entry, of business: BusinessID) -> [Entry] {
    if waiting[business] != nil {
      waiting[business, default: []].append(entry)
      return []
    }
    waiting[business] = []
    return [entry]
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
    for entry in entries {
      let request = entry.mutation.request?.id
      let isDistinct =
        !externalIDs.contains(entry.order.content.externalID) && !(request.map(requestIDs.contains) ?? false)
      if batch.count < Self.batchLimit, isDistinct, entry.mutation.method == first.mutation.method {
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
