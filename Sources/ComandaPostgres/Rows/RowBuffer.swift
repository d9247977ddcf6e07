import Synchronization

/// Rows between the reactor and the task that reads them. The reactor stops reading from the server while
/// it is full, and goes on when it has been emptied.
final class RowBuffer: Sendable {
  /// A row costs libpq at least 2 KiB when rows come one by one, so this is about half a mebibyte.
  static let capacity = 256

  /// Large rows fill it sooner, so that a reader of a few megabytes never holds hundreds.
  static let byteCapacity = 512 * 1_024

  private struct State {
    var rows: [Row] = []
    var bytes = 0
    var end: Result<Void, any Error>?
    var waiter: OneShot<Void>?
    var isFull = false
  }

  private let state = Mutex(State())

  /// Adds rows. False when the reactor should pause.
  func append(_ rows: [Row], bytes: Int) -> Bool {
    let (waiter, wantsMore) = state.withLock { state -> (OneShot<Void>?, Bool) in
      state.rows += rows
      state.bytes += bytes
      state.isFull = state.rows.count >= Self.capacity || state.bytes >= Self.byteCapacity
      defer { state.waiter = nil }
      return (state.waiter, !state.isFull)
    }
    waiter?.end(.success(()))
    return wantsMore
  }

  func finish(_ result: Result<Void, any Error>) {
    let waiter = state.withLock { state -> OneShot<Void>? in
      if state.end == nil { state.end = result }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.end(.success(()))
  }

  var isFinished: Bool { state.withLock { $0.end != nil } }

  enum Batch {
    case rows([Row], resumeReactor: Bool)
    case end(Result<Void, any Error>)
  }

  /// Takes all rows there are, and waits for some if there are none. One reader at a time.
  func next() async throws -> Batch {
    while true {
      let arrival = OneShot<Void>()
      let batch = state.withLock { state -> Batch? in
        if !state.rows.isEmpty {
          defer {
            state.rows = []
            state.bytes = 0
            state.isFull = false
          }
          return .rows(state.rows, resumeReactor: state.isFull)
        }
        if let end = state.end { return .end(end) }
        state.waiter = arrival
        return nil
      }
      if let batch { return batch }
      try await arrival.wait {}
    }
  }
}
