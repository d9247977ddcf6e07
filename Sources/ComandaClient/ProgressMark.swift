import ComandaRPC
import Synchronization

/// When an import last moved, as its upload and its watch saw it.
final class ProgressMark: Sendable {
  private struct State {
    var sequence: Int64 = 0
    var committedRow: Int64 = 0
    var movements = 0
    var movedAt: ContinuousClock.Instant
    var isUploaded = false
    var lastFailure: RPCError?
  }

  private let state: Mutex<State>

  init(now: ContinuousClock.Instant = .now) {
    state = Mutex(State(movedAt: now))
  }

  /// Rises with every movement.
  var movements: Int {
    state.withLock { $0.movements }
  }

  var movedAt: ContinuousClock.Instant {
    state.withLock { $0.movedAt }
  }

  /// Whether all rows are with the server, so that only the server can make the import move.
  var isUploaded: Bool {
    state.withLock { $0.isUploaded }
  }

  var lastFailure: RPCError? {
    state.withLock { $0.lastFailure }
  }

  /// Takes note of a state of the import; it counts when it is newer than all before.
  func saw(sequence: Int64, committedRow: Int64, now: ContinuousClock.Instant = .now) {
    state.withLock { state in
      guard sequence > state.sequence || committedRow > state.committedRow else { return }
      state.sequence = max(sequence, state.sequence)
      state.committedRow = max(committedRow, state.committedRow)
      state.movements += 1
      state.movedAt = now
      state.lastFailure = nil
    }
  }

  func uploaded(now: ContinuousClock.Instant = .now) {
    state.withLock { state in
      state.isUploaded = true
      state.movedAt = now
    }
  }

  /// Lets the patience begin anew without a movement.
  func excuse(now: ContinuousClock.Instant = .now) {
    state.withLock { $0.movedAt = now }
  }

  func failed(_ error: RPCError) {
    state.withLock { $0.lastFailure = error }
  }
}
