import ComandaDomain
import Synchronization

/// Businesses whose imports have rows to apply, and the workers that this process has for them.
public final class ImportQueue: Sendable {
  private let turns = Mutex(ImportTurns(workers: ImportApplier.workers))
  private let bell = Bell()

  /// An empty queue.
  public init() {}

  /// Rows of an import have come, or it was sealed, or resumed.
  func rowsArrived(of business: BusinessID) {
    let hasFreeWorker = turns.withLock { turns in
      turns.rowsArrived(of: business)
      return turns.hasFreeWorker
    }
    if hasFreeWorker { bell.ring() }
  }

  /// The store has work of these businesses.
  func found(_ businesses: some Sequence<BusinessID>) {
    turns.withLock { turns in
      for business in businesses { turns.found(business) }
    }
    bell.ring()
  }

  /// The next turn, if there is work and a worker for it.
  func next() -> ImportTurns.Turn? {
    turns.withLock { $0.next() }
  }

  /// A turn has ended, and its worker is free.
  func ended(_ turn: ImportTurns.Turn, _ outcome: ImportTurns.Outcome) {
    turns.withLock { $0.ended(turn, outcome) }
    bell.ring()
  }

  /// Waits until there may be a turn; returns also when the task is cancelled, and now and then without a reason.
  func wait() async {
    await bell.wait(atMost: ImportApplier.sweepInterval)
  }
}
