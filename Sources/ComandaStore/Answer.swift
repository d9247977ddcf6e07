import Synchronization

/// A value that one task waits for and another gives, once. What comes later is dropped.
final class Answer<Value: Sendable>: Sendable {
  private enum State {
    case empty
    case awaited(CheckedContinuation<Value, any Error>)
    case given(Result<Value, any Error>)
  }

  private let state = Mutex(State.empty)

  /// Gives the value, or the error.
  func give(_ result: Result<Value, any Error>) {
    let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
      switch state {
      case .empty:
        state = .given(result)
        return nil
      case .awaited(let continuation):
        state = .given(result)
        return continuation
      case .given:
        return nil
      }
    }
    waiter?.resume(with: result)
  }

  /// Waits for the value, or until the waiting task is cancelled. One task only.
  var value: Value {
    get async throws {
      try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          let given: Result<Value, any Error>? = state.withLock { state in
            if case .given(let result) = state { return result }
            state = .awaited(continuation)
            return nil
          }
          if let given { continuation.resume(with: given) }
        }
      } onCancel: {
        give(.failure(CancellationError()))
      }
    }
  }
}
