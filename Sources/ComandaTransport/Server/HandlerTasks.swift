import DequeModule

/// The tasks in which handlers run, kept for further calls: making and ending a task costs more than all else that a
/// short call needs of the runtime, and waking one costs nearly half of it.
///
/// So a task that is awake serves the calls that wait one after the other, and is woken once for all of them. When a
/// handler waits for something, its task waits with it, and the executor begins the next task for the calls behind it.
/// Cancelling a call cancels its task for good, so such a task is not kept. Confined to its loop.
final class HandlerTasks: TickWork, @unchecked Sendable {
  private let executor: LoopExecutor
  private let kept: Int
  private var calls: Deque<ServerCall> = []
  private var idle: [Worker] = []
  private var isClosed = false

  /// - Parameter kept: how many tasks may wait without work.
  init(_ executor: LoopExecutor, kept: Int) {
    self.executor = executor
    self.kept = kept
    executor.work = self
  }

  /// Has a task serve the call, in this tick or, outside of one, in the next.
  func start(_ call: ServerCall) {
    calls.append(call)
    executor.scheduleTick()
  }

  var isWaiting: Bool {
    !calls.isEmpty
  }

  func begin() {
    if let worker = idle.popLast() {
      worker.resume()
    } else {
      let worker = Worker()
      worker.task = Task(executorPreference: executor) { await self.run(worker) }
    }
  }

  /// Ends the tasks without work; those with work end after it.
  func close() {
    isClosed = true
    for worker in idle { worker.resume() }
    idle = []
  }

  private func run(_ worker: Worker) async {
    repeat {
      while let call = calls.popFirst() {
        call.started(worker)
        await call.connection.serve(call)
        if worker.isCancelled { return }
        if !executor.hasTime() { break }
      }
      if isClosed || idle.count >= kept { return }
      await withUnsafeContinuation { continuation in
        worker.waiting = continuation
        idle.append(worker)
      }
    } while !isClosed
  }

  /// A task and, while it has no work, what wakes it.
  final class Worker: @unchecked Sendable {
    fileprivate var task: Task<Void, Never>?
    fileprivate var waiting: UnsafeContinuation<Void, Never>?
    fileprivate private(set) var isCancelled = false

    fileprivate func resume() {
      let waiting = self.waiting
      self.waiting = nil
      waiting?.resume()
    }

    func cancel() {
      isCancelled = true
      task?.cancel()
    }
  }
}
