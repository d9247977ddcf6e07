import ComandaRPC
import ComandaTLS
import NIOCore
import NIOPosix
import Synchronization

/// The connections of a client: the thin shell around `ClientPoolStateMachine`. Decides under one lock, acts outside it.
final class ClientPool: ClientConnectionOwner, Sendable {
  /// What each event loop has of its own: OpenSSL 3.0 takes locks in a context that threads share. The session tickets
  /// are common to all.
  private struct Loop: Sendable {
    let executor: LoopExecutor
    let tls: TLSContext
  }

  private struct State {
    var machine: ClientPoolStateMachine
    /// All that have not ended, whatever the machine thinks of them.
    var connections: [Int: ClientConnection] = [:]
    var waiters: [UInt64: CheckedContinuation<ClientConnection, any Error>] = [:]
    var allowance: RetryAllowance
    /// The machine's `wake`.
    var timer: Scheduled<Void>?

    /// The connection of a call that was just admitted or granted.
    func connection(_ id: Int) -> Result<ClientConnection, any Error> {
      connections[id].map { .success($0) } ?? .failure(RPCError.clientClosed(isRejected: true))
    }
  }

  private let loops: [Loop]
  private let names: [Int: ClientChannel.Target]
  private let settings: ClientSettings
  private let credential: String?
  private let lastWaiter = Atomic<UInt64>(0)
  private let state: Mutex<State>

  /// - Throws: `TLSError` when certificates cannot be used; `RPCError` INVALID_ARGUMENT for a target that no connection
  ///   can be made to.
  init(targets: [ClientChannel.Target], tls: TLSConfiguration, credential: String?, settings: ClientSettings) throws {
    // The process' own loops, which are never shut down: calls outlive their client, and a call that asks a loop that
    // is gone would wait for ever.
    let group = MultiThreadedEventLoopGroup.singleton
    loops = try (0..<max(1, settings.loops)).map { _ in
      Loop(executor: LoopExecutor(eventLoop: group.next()), tls: try TLSContext(configuration: tls))
    }
    var fixed: [Endpoint] = []
    var names: [Int: ClientChannel.Target] = [:]
    for (index, target) in targets.enumerated() {
      if let endpoint = try target.fixedEndpoint() { fixed.append(endpoint) } else { names[index] = target }
    }
    self.names = names
    self.settings = settings
    self.credential = credential
    let machine = ClientPoolStateMachine(
      fixed: fixed, names: names.keys.sorted(), settings: settings, seed: .random(in: 0 ... .max))
    state = Mutex(State(machine: machine, allowance: RetryAllowance(settings.retries.budget, now: .now())))
  }

  // MARK: - For calls

  /// The connection of the next call; nil when one has to be waited for, or made.
  func pick() -> ClientConnection? {
    state.withLock { state in state.machine.pick().flatMap { state.connections[$0] } }
  }

  /// Waits for the connection of a call.
  /// - Throws: `RPCError`, always rejected.
  func connection(for request: ClientStream.Request) async throws -> ClientConnection {
    let id = lastWaiter.add(1, ordering: .relaxed).newValue
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        admit(id, request, continuation)
        // The cancellation may have come before there was anything to cancel.
        if Task.isCancelled { cancel(id) }
      }
    } onCancel: {
      cancel(id)
    }
  }

  private func admit(
    _ id: UInt64, _ request: ClientStream.Request, _ continuation: CheckedContinuation<ClientConnection, any Error>
  ) {
    var outcome: Result<ClientConnection, any Error>?
    change { state in
      let (admission, actions) = state.machine.admit(
        id, waitsForReady: request.waitsForReady, deadline: request.deadline, now: .now())
      switch admission {
      case .wait: state.waiters[id] = continuation
      case .fail(let error): outcome = .failure(error)
      case .use(let connection):
        outcome = state.connection(connection)
      }
      return actions
    }
    if let outcome { continuation.resume(with: outcome) }
  }

  private func cancel(_ id: UInt64) {
    let waiter = state.withLock { state in state.machine.cancel(id) ? state.waiters.removeValue(forKey: id) : nil }
    waiter?.resume(throwing: RPCError(.cancelled, "the caller cancelled the call", isRejected: true))
  }

  /// Takes a retry out of the budget, if there is one.
  func withdrawRetry() -> Bool {
    state.withLock { $0.allowance.withdraw(calls: $0.machine.calls, now: .now()) }
  }

  /// Closes all connections; their calls end with CANCELLED. The futures complete when the sockets are closed.
  func close() -> [EventLoopFuture<Void>] {
    var connections: [ClientConnection] = []
    change { state in
      connections = Array(state.connections.values)
      state.timer?.cancel()
      return state.machine.close()
    }
    return connections.map { connection in
      connection.eventLoop.flatSubmit { connection.close(.clientClosed(isRejected: false)) }
    }
  }

  // MARK: - From connections, on their loops

  func isReady(_ connection: ClientConnection) {
    change { $0.machine.connected(connection.id, now: .now()) }
  }

  func wasIntroduced(_ connection: ClientConnection) {
    state.withLock { $0.machine.introduced(connection.id) }
  }

  func drains(_ connection: ClientConnection) {
    change { $0.machine.drains(connection.id, now: .now()) }
  }

  func isExhausted(_ connection: ClientConnection) {
    change { $0.machine.exhausted(connection.id, now: .now()) }
  }

  func isIdle(_ connection: ClientConnection) {
    change { $0.machine.fellIdle(connection.id) }
  }

  func ended(_ connection: ClientConnection, _ error: RPCError) {
    change { state in
      state.connections[connection.id] = nil
      return state.machine.lost(connection.id, error, now: .now())
    }
  }

  // MARK: - Actions

  private enum Effect {
    case connect(ClientConnection, Endpoint, TLSContext)
    case retire(ClientConnection)
    case abandon(ClientConnection)
    case resolve(Int, ClientChannel.Target)
    case resume(CheckedContinuation<ClientConnection, any Error>, Result<ClientConnection, any Error>)
  }

  /// Gives the machine an input, and does what it says.
  private func change(_ input: (inout State) -> [ClientPoolStateMachine.Action]) {
    let effects = state.withLock { state in
      let actions = input(&state)
      return actions.compactMap { effect(of: $0, &state) }
    }
    for effect in effects { run(effect) }
  }

  /// Ids into objects, under the lock: an action may be about an object that the one before it made.
  private func effect(of action: ClientPoolStateMachine.Action, _ state: inout State) -> Effect? {
    switch action {
    case .connect(let id, let endpoint):
      let loop = loops[id % loops.count]
      let connection = ClientConnection(
        id: id, owner: self, executor: loop.executor, settings: settings, credential: credential)
      state.connections[id] = connection
      return .connect(connection, endpoint, loop.tls)
    case .retire(let id): return state.connections[id].map { .retire($0) }
    case .abandon(let id): return state.connections[id].map { .abandon($0) }
    case .resolve(let target): return names[target].map { .resolve(target, $0) }
    case .grant(let waiter, let id):
      guard let continuation = state.waiters.removeValue(forKey: waiter) else { return nil }
      return .resume(continuation, state.connection(id))
    case .refuse(let waiter, let error):
      return state.waiters.removeValue(forKey: waiter).map { .resume($0, .failure(error)) }
    case .wake(let deadline):
      // Under the lock too, or the wakes of two threads could change places, and the later one would stay.
      state.timer?.cancel()
      state.timer = loops[0].executor.eventLoop.scheduleTask(deadline: deadline) { [weak self] in
        self?.change { $0.machine.timePassed(now: .now()) }
      }
      return nil
    }
  }

  private func run(_ effect: Effect) {
    switch effect {
    case .connect(let connection, let endpoint, let tls):
      connection.eventLoop.execute { connection.connect(to: endpoint, tls: tls) }
    case .retire(let connection): connection.eventLoop.execute { connection.retire() }
    case .abandon(let connection):
      connection.eventLoop.execute { connection.close(RPCError(.unavailable, "the server's addresses changed")) }
    case .resume(let continuation, let result): continuation.resume(with: result)
    case .resolve(let id, let target):
      target.resolve { [weak self] result in
        self?.change { state in
          switch result {
          case .success(let endpoints): state.machine.resolved(id, to: endpoints, now: .now())
          case .failure(let error): state.machine.resolvingFailed(id, error, now: .now())
          }
        }
      }
    }
  }
}
