import ComandaRPC
import Synchronization

/// What the interceptors of a client see of one call: its start, and its end once.
final class CallObservation: Sendable {
  private struct State {
    var context: ClientCallContext
    var hasStarted = false
    var hasEnded = false
  }

  private let interceptors: [any ClientInterceptor]
  private let begin = ContinuousClock.now
  private let state: Mutex<State>

  init(_ interceptors: [any ClientInterceptor], _ context: ClientCallContext) {
    self.interceptors = interceptors
    self.state = Mutex(State(context: context))
  }

  /// Runs the interceptors; returns the options that they left.
  func start() async throws -> CallOptions {
    var context = state.withLock(\.context)
    for interceptor in interceptors { try await interceptor.callStarts(&context) }
    state.withLock {
      $0.context = context
      $0.hasStarted = true
    }
    return context.options
  }

  func ended(_ code: StatusCode, attempts: Int) {
    let context = state.withLock { state -> (ClientCallContext, Int)? in
      if state.hasEnded { return nil }
      state.hasEnded = true
      return (state.context, state.hasStarted ? attempts : 0)
    }
    guard let (context, attempts) = context else { return }
    let outcome = ClientCallOutcome(code: code, duration: .now - begin, attempts: attempts)
    for interceptor in interceptors { interceptor.callEnded(context, outcome) }
  }

  func ended(with error: any Error, attempts: Int) {
    ended((error as? RPCError)?.code ?? (error is CancellationError ? .cancelled : .unknown), attempts: attempts)
  }
}
