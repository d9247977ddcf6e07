import Synchronization

/// What one tenant has of a server: its calls under way, and the memory that its requests and answers hold.
///
/// Whoever resolves identities keeps one for each tenant, and gives it to all of the tenant's identities.
public final class ResourceAccount: Sendable {
  /// The part of a budget that the account may have, as its divisor.
  let divisor: Int
  /// Bytes, as `MemoryBudget` counts them.
  let held = Atomic<Int>(0)
  private let calls = Atomic<Int>(0)
  private let streams = Atomic<Int>(0)

  /// The account of a tenant.
  public convenience init() {
    self.init(divisor: 1)
  }

  init(divisor: Int) {
    self.divisor = divisor
  }

  /// The bytes of requests and answers that are charged to the account.
  public var heldBytes: Int {
    held.load(ordering: .relaxed)
  }

  /// The calls that are under way: unary ones, and those in which a side streams.
  public var running: (calls: Int, streams: Int) {
    (calls.load(ordering: .relaxed), streams.load(ordering: .relaxed))
  }

  /// Lets a call in; `leave` ends it.
  /// - Throws: `RPCError` RESOURCE_EXHAUSTED when the account has as many of its kind as it may; it says when to try again.
  func enter(isUnary: Bool, most: Int) throws(RPCError) {
    let count =
      isUnary
      ? calls.wrappingAdd(1, ordering: .relaxed).newValue : streams.wrappingAdd(1, ordering: .relaxed).newValue
    if count <= most { return }
    leave(isUnary: isUnary)
    throw .tooManyCalls(
      "your account has \(most) \(isUnary ? "calls under way" : "streams open") already; try again later")
  }

  func leave(isUnary: Bool) {
    if isUnary {
      calls.wrappingSubtract(1, ordering: .relaxed)
    } else {
      streams.wrappingSubtract(1, ordering: .relaxed)
    }
  }
}
