import Synchronization

/// What became of the handlers whose plans name a key.
final class HandlerLedger: Sendable {
  typealias State = Comanda_Conformance_V1_HandlerState

  /// Keys remembered; the oldest is forgotten first.
  private static let capacity = 1_024
  private static let lingerLimit = Duration.seconds(2)

  private struct Record {
    var states: [String: State] = [:]
    var order: [String] = []
  }

  private let record = Mutex(Record())

  func state(of key: String) -> State? {
    record.withLock { $0.states[key] }
  }

  /// Runs a handler, and remembers how it ended.
  func recording<Result>(
    _ plan: CallPlan, _ handler: () async throws -> Result
  ) async throws -> Result {
    set(.running, plan.key)
    do {
      let result = try await handler()
      set(.completed, plan.key)
      return result
    } catch {
      guard Task.isCancelled else {
        set(.completed, plan.key)
        throw error
      }
      // A task of its own is not cancelled with this one: the handler that does not listen.
      let linger = min(.milliseconds(Int64(plan.lingerMs)), Self.lingerLimit)
      if linger > .zero { try? await Task.detached { try await Task.sleep(for: linger) }.value }
      set(.cancelled, plan.key)
      throw error
    }
  }

  private func set(_ state: State, _ key: String) {
    if key.isEmpty { return }
    record.withLock { record in
      guard record.states.updateValue(state, forKey: key) == nil else { return }
      record.order.append(key)
      if record.order.count > Self.capacity { record.states[record.order.removeFirst()] = nil }
    }
  }
}
