import Synchronization

/// A value that one task waits for and another thread provides, once.
final class OneShot<Value: Sendable>: Sendable {
  private enum State {
    case idle
    case waiting(UnsafeContinuation<Value, any Error>)
    case ended(Result<Value, any Error>)
    case done
  }

  private let state = Mutex(State.idle)

  /// Ends it. What comes after the first end is dropped, and told so by false.
  @discardableResult
  func end(_ result: Result<Value, any Error>) -> Bool {
    let (isFirst, continuation) = state.withLock { state -> (Bool, UnsafeContinuation<Value, any Error>?) in
      switch state {
      case .idle:
        state = .ended(result)
        return (true, nil)
      case .waiting(let continuation):
        state = .done
        return (true, continuation)
      case .ended, .done:
        return (false, nil)
      }
    }
    continuation?.resume(with: result)
    return isFirst
  }

  /// Whether nobody waits for it any longer.
  var hasEnded: Bool {
    state.withLock { state in
      switch state {
      case .idle, .waiting: false
      case .ended, .done: true
      }
    }
  }

  /// Runs `start`, then waits for the end. To be called once.
  ///
  /// The continuation is an unsafe one because each path through `end` resumes it exactly once, which the state
  /// proves; a checked one costs two allocations in each query.
  func wait(_ start: () -> Void) async throws -> Value {
    try await withUnsafeThrowingContinuation { continuation in
      let early = state.withLock { state -> Result<Value, any Error>? in
        guard case .ended(let result) = state else {
          state = .waiting(continuation)
          return nil
        }
        state = .done
        return result
      }
      if let early { continuation.resume(with: early) } else { start() }
    }
  }
}
