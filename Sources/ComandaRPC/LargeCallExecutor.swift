import DequeModule
import Dispatch
import Foundation
import Synchronization

/// Runs the calls that would keep a connection's loop busy for too long: those with large requests or large answers.
///
/// It has threads of its own, half as many as there are cores and at least two: a tenant that sends one large request
/// after the other then takes neither a loop from other connections nor the threads on which everything else in the
/// process runs, and the kernel shares the cores among all of them. Large calls wait for each other, in the order in which
/// they came.
final class LargeCallExecutor: TaskExecutor {
  static let shared = LargeCallExecutor(threads: max(2, ProcessInfo.processInfo.activeProcessorCount / 2))

  /// Runs a closure here, as a task of its own: `withTaskExecutorPreference` alone leaves a handler, which runs where it is
  /// called, on the loop that it was to leave.
  static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
      group.addTask(executorPreference: shared) { try await body() }
      guard let value = try await group.next() else { throw CancellationError() }
      return value
    }
  }

  private struct State {
    var jobs: Deque<UnownedJob> = []
    /// Serial queues that have nothing to do: libdispatch gives a thread to each one that has.
    var idle: [DispatchQueue]
  }

  private let state: Mutex<State>

  init(threads: Int) {
    let queues = (1...max(1, threads)).map { DispatchQueue(label: "comanda.large-calls-\($0)") }
    state = Mutex(State(idle: queues))
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let idle = state.withLock { state in
      state.jobs.append(job)
      return state.idle.popLast()
    }
    if let idle { idle.async { self.run(on: idle) } }
  }

  private func run(on queue: DispatchQueue) {
    while let job = next(for: queue) { job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  /// The next job; nil when there is none and the queue is idle from now on.
  private func next(for queue: DispatchQueue) -> UnownedJob? {
    state.withLock { state in
      if let job = state.jobs.popFirst() { return job }
      state.idle.append(queue)
      return nil
    }
  }
}
