import DequeModule
import FoundationEssentials

/// On whose behalf something is done; nil is the platform itself. The pool knows nothing else of a tenant.
typealias Tenant = UUID?

/// Those who wait, served in turn by tenant, and in the order of arrival within one. No I/O; time is an argument.
///
/// A tenant whose turn it is and who may not be served (its own bound is reached) keeps its place in front, so that it
/// loses nothing, and the next one is served.
struct TurnQueue<Element> {
  typealias Instant = ContinuousClock.Instant

  private struct Waiter {
    let element: Element
    let deadline: Instant
  }

  private var waiters: [Tenant: Deque<Waiter>] = [:]
  /// The tenants that wait, the next to be served first.
  private var turns = Deque<Tenant>()
  private(set) var count = 0
  /// No deadline comes before this. It may name the deadline of one who waits no longer.
  private(set) var earliestDeadline: Instant?

  var isEmpty: Bool { count == 0 }

  func count(of tenant: Tenant) -> Int { waiters[tenant]?.count ?? 0 }

  mutating func append(_ element: Element, of tenant: Tenant, until deadline: Instant) {
    if waiters[tenant] == nil { turns.append(tenant) }
    waiters[tenant, default: []].append(Waiter(element: element, deadline: deadline))
    count += 1
    earliestDeadline = min(earliestDeadline ?? deadline, deadline)
  }

  /// Whether somebody waits who may be served.
  func hasTurn(_ maybeServed: (Tenant) -> Bool) -> Bool { turns.contains(where: maybeServed) }

  /// Takes the next who may be served; its tenant goes to the end.
  mutating func next(_ maybeServed: (Tenant) -> Bool) -> (element: Element, tenant: Tenant)? {
    guard let turn = turns.firstIndex(where: maybeServed) else { return nil }
    let tenant = turns.remove(at: turn)
    guard let waiter = waiters[tenant]?.popFirst() else { return nil }
    count -= 1
    if waiters[tenant]?.isEmpty == true { waiters[tenant] = nil } else { turns.append(tenant) }
    if isEmpty { earliestDeadline = nil }
    return (waiter.element, tenant)
  }

  /// Takes out one who no longer wants to wait, if it does.
  mutating func remove(of tenant: Tenant, where isMeant: (Element) -> Bool) {
    guard let index = waiters[tenant]?.firstIndex(where: { isMeant($0.element) }) else { return }
    waiters[tenant]?.remove(at: index)
    count -= 1
    dropIfEmpty(tenant)
  }

  /// Takes out those who have waited too long, the longest waiting first.
  mutating func removeExpired(now: Instant) -> [Element] {
    guard let earliestDeadline, earliestDeadline <= now else { return [] }
    var expired: [Waiter] = []
    for tenant in Array(turns) {
      while let first = waiters[tenant]?.first, first.deadline <= now {
        expired.append(first)
        waiters[tenant]?.removeFirst()
        count -= 1
      }
      dropIfEmpty(tenant)
    }
    self.earliestDeadline = turns.compactMap { waiters[$0]?.first?.deadline }.min()
    return expired.sorted { $0.deadline < $1.deadline }.map(\.element)
  }

  mutating func removeAll() -> [Element] {
    defer { self = TurnQueue() }
    return turns.flatMap { waiters[$0]?.map(\.element) ?? [] }
  }

  /// How many of those who wait could be served at the same time, counted up to a limit, if each tenant has this room.
  func servable(upTo limit: Int, room: (Tenant) -> Int) -> Int {
    var total = 0
    for tenant in turns {
      if total >= limit { break }
      total += max(0, min(count(of: tenant), room(tenant), limit - total))
    }
    return total
  }

  private mutating func dropIfEmpty(_ tenant: Tenant) {
    guard waiters[tenant]?.isEmpty == true else { return }
    waiters[tenant] = nil
    turns.removeAll { $0 == tenant }
    if isEmpty { earliestDeadline = nil }
  }
}
