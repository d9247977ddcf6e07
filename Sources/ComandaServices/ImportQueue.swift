import ComandaDomain
import Synchronization

/// Businesses of which imports may have rows to apply, and the imports that this process is applying.
public final class ImportQueue: Sendable {
  private struct State {
    var businesses: Set<BusinessID> = []
    var active: Set<ImportID> = []
  }

  private let state = Mutex(State())
  private let bell = Bell()

  /// An empty queue.
  public init() {}

  /// Rows of an import have come. Who applies it already will see them.
  func rowsArrived(in id: ImportID, of business: BusinessID) {
    let isNew = state.withLock { state in
      !state.active.contains(id) && state.businesses.insert(business).inserted
    }
    if isNew { bell.ring() }
  }

  /// A business may have work.
  func add(_ businesses: some Sequence<BusinessID>) {
    state.withLock { $0.businesses.formUnion(businesses) }
    bell.ring()
  }

  /// Waits for businesses with work; returns how many more imports may be applied at a time as well.
  func take(active limit: Int, atMost time: Duration) async -> (businesses: Set<BusinessID>, room: Int) {
    await bell.wait(atMost: time)
    return state.withLock { state in
      let room = limit - state.active.count
      guard room > 0 else { return ([], 0) }
      defer { state.businesses = [] }
      return (state.businesses, room)
    }
  }

  /// An import is being applied.
  func began(_ id: ImportID) {
    state.withLock { _ = $0.active.insert(id) }
  }

  /// An import is no longer being applied; its business is looked at once more, lest rows came at the last moment.
  func ended(_ id: ImportID, of business: BusinessID) {
    state.withLock { state in
      state.active.remove(id)
      state.businesses.insert(business)
    }
    bell.ring()
  }
}
