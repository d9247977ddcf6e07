import ComandaDomain

/// Whose imports are worked on next: businesses take turns, one chunk a turn.
///
/// A business that has work and nothing of it under way gets its turn after at most one turn of each other business,
/// however many imports the others have. Workers that nobody else needs go to businesses that have some at work
/// already, as far as these have imports for them. Which of its imports a turn serves, the store decides: the one that
/// has waited longest.
///
/// Pure: no I/O, no clock.
struct ImportTurns {
  /// One chunk's time at a worker, from ``next()`` to ``ended(_:_:)``.
  struct Turn: Hashable, Sendable {
    /// Whose imports it serves.
    let business: BusinessID
    /// Rises from turn to turn.
    let number: UInt64
  }

  /// What came of a turn.
  enum Outcome: Hashable, Sendable {
    /// A chunk; there may be more.
    case more
    /// There was nothing to do, but for what other workers do for this business.
    case nothing
    /// It failed for a reason that passes: the business waits until its work is found again.
    case failed
  }

  private struct Entry {
    /// When it came, or had its last turn: who has waited longest is first.
    var since: UInt64
    /// When it was last known to have work.
    var news: UInt64
    /// Workers that it has at the moment.
    var atWork = 0
    /// How many workers its imports keep busy, as far as that is known.
    var width = Int.max
    /// Whether there is nothing more for it, as far as is known; it stays only until its workers are back.
    var isLeaving = false
  }

  private let workers: Int
  private var entries: [BusinessID: Entry] = [:]
  private var atWork = 0
  /// Counts what happens; no two events share a moment.
  private var moment: UInt64 = 0

  /// Turns at so many workers.
  init(workers: Int) {
    self.workers = max(workers, 1)
  }

  /// Whether a worker is free.
  var hasFreeWorker: Bool { atWork < workers }

  /// Rows have come for an import of this business.
  mutating func rowsArrived(of business: BusinessID) {
    announce(business)
  }

  /// The store was searched, and this business has imports with work, perhaps more than were known.
  mutating func found(_ business: BusinessID) {
    announce(business)
    entries[business]?.width = .max
  }

  /// Gives a free worker to the business whose turn it is; nil when there is none.
  mutating func next() -> Turn? {
    guard hasFreeWorker else { return nil }
    let waiting = entries.lazy.filter { !$0.value.isLeaving && $0.value.atWork < $0.value.width }
    let first = waiting.min { ($0.value.atWork, $0.value.since) < ($1.value.atWork, $1.value.since) }
    guard let business = first?.key else { return nil }
    let turn = Turn(business: business, number: tick())
    entries[business]?.since = turn.number
    entries[business]?.atWork += 1  // bounded: by the number of workers
    atWork += 1  // bounded: by the number of workers
    return turn
  }

  /// A turn has ended.
  mutating func ended(_ turn: Turn, _ outcome: Outcome) {
    guard var entry = entries[turn.business], entry.atWork > 0 else { return }
    entry.atWork -= 1  // bounded: it was above 0
    atWork -= 1  // bounded: the sum over all businesses, of which this one was above 0
    switch outcome {
    case .more:
      entry.isLeaving = false
      // Who came meanwhile is before it.
      entry.since = tick()
      // And another turn of the business may have found nothing only because this one held its import.
      entry.news = entry.since
    case .nothing where entry.atWork > 0: entry.width = entry.atWork
    // What was announced after the turn began, the turn may have missed.
    case .nothing where entry.news > turn.number: break
    case .nothing, .failed: entry.isLeaving = true
    }
    entries[turn.business] = entry.isLeaving && entry.atWork == 0 ? nil : entry
  }

  private mutating func announce(_ business: BusinessID) {
    let now = tick()
    var entry = entries[business] ?? Entry(since: now, news: now)
    entry.news = now
    if entry.isLeaving {
      entry.isLeaving = false
      entry.since = now
    }
    entries[business] = entry
  }

  private mutating func tick() -> UInt64 {
    moment += 1  // bounded: 2^64 events never happen
    return moment
  }
}
