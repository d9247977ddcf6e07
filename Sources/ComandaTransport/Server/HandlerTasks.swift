import ComandaRPC
import NIOCore

/// What a handler needs to serve a call. An object: it changes hands some times on its way.
final class HandlerWork: Sendable {
  let call: ServerCall
  let context: ServerContext
  /// The request that came with OPEN, if it is the only one: it does not go through the call's inbox.
  let onlyRequest: ByteBuffer?

  init(call: ServerCall, context: ServerContext, onlyRequest: ByteBuffer?) {
    self.call = call
    self.context = context
    self.onlyRequest = onlyRequest
  }
}

/// The tasks in which handlers run, kept for the next call when a call has ended: making and ending a task costs more
/// than all else that a short call needs of the runtime.
///
/// Cancelling a call cancels its task for good, so such a task is not kept. Confined to its loop.
final class HandlerTasks: @unchecked Sendable {
  private let executor: LoopExecutor
  private let kept: Int
  private var idle: [Worker] = []
  private var isClosed = false

  /// - Parameter kept: how many tasks may wait without work.
  init(_ executor: LoopExecutor, kept: Int) {
    self.executor = executor
    self.kept = kept
  }

  /// Has a task serve the call, soon.
  func start(_ work: HandlerWork) {
    if let worker = idle.popLast() {
      worker.resume(with: work)
    } else {
      let worker = Worker()
      worker.task = Task(executorPreference: executor) { await self.run(worker, first: work) }
      work.call.started(worker)
    }
  }

  /// Ends the tasks without work; those with work end after it.
  func close() {
    isClosed = true
    for worker in idle { worker.resume(with: nil) }
    idle = []
  }

  private func run(_ worker: Worker, first: HandlerWork) async {
    var work: HandlerWork? = first
    while let current = work {
      await current.call.connection.serve(current)
      if Task.isCancelled { return }
      work = await next(worker)
    }
  }

  private func next(_ worker: Worker) async -> HandlerWork? {
    if isClosed || idle.count >= kept { return nil }
    return await withUnsafeContinuation { continuation in
      worker.waiting = continuation
      idle.append(worker)
    }
  }

  /// A task and, while it has no work, what wakes it.
  final class Worker: @unchecked Sendable {
    fileprivate var task: Task<Void, Never>?
    fileprivate var waiting: UnsafeContinuation<HandlerWork?, Never>?

    fileprivate func resume(with work: HandlerWork?) {
      work?.call.started(self)
      let waiting = self.waiting
      self.waiting = nil
      waiting?.resume(returning: work)
    }

    func cancel() {
      task?.cancel()
    }
  }
}
