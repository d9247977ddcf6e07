import NIOCore
import Synchronization

/// Something that gathers bytes during a tick and sends them at its end.
protocol TickFlushable: AnyObject {
  func flushAtTickEnd()
}

/// Runs tasks on an event loop, gathered into ticks: jobs first, then one flush of every connection that they wrote to.
///
/// A call whose handler never leaves the loop costs no thread hop and no wake-up, and all responses of a tick leave
/// in one write. Three traps shaped it:
/// - NIO polls the sockets again only when its queue of tasks is empty. So a tick stops at a time cap, and what is left
///   waits for a timer rather than for the queue: a handler in a `Task.yield` loop would starve every connection.
/// - Resumes from other threads go through one locked queue with one wake-up a batch.
/// - A job enqueued after the loop's shutdown is lost for ever: stop loops only when every call has ended.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  /// A tick's share of the loop's time while other work waits.
  private static let tickCap = TimeAmount.milliseconds(1)
  /// Jobs between two looks at the clock.
  private static let jobsPerClockRead = 32
  /// Time for the loop to poll its sockets between two ticks of a busy executor.
  private static let breather = TimeAmount.microseconds(20)

  let eventLoop: any EventLoop

  // Confined to the loop; `foreign` is what other threads may touch.
  private var jobs: [UnownedJob] = []
  private var flushables: [any TickFlushable] = []
  private var isTickExpected = false
  private let foreign = Mutex<[UnownedJob]>([])

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if eventLoop.inEventLoop {
      jobs.append(job)
      scheduleTick()
    } else {
      let isFirst = foreign.withLock { jobs in
        jobs.append(job)
        return jobs.count == 1
      }
      if isFirst { eventLoop.execute { self.tick() } }
    }
  }

  /// Announces that the caller runs `tick` itself before it returns to the loop.
  func expectTick() {
    isTickExpected = true
  }

  /// Has the object flush at the end of this tick or, outside of one, of the next.
  func flush(_ flushable: any TickFlushable) {
    flushables.append(flushable)
    scheduleTick()
  }

  /// Runs what is ready, up to the time cap, then flushes.
  func tick() {
    isTickExpected = true
    takeForeign()
    var deadline: NIODeadline?
    var index = 0
    while index < jobs.count {
      jobs[index].runSynchronously(on: asUnownedTaskExecutor())
      index += 1
      if index % Self.jobsPerClockRead == 0 {
        let now = NIODeadline.now()
        if let deadline, now > deadline { break }
        deadline = deadline ?? now + Self.tickCap
        takeForeign()
      }
    }
    if index == jobs.count {
      jobs.removeAll(keepingCapacity: true)
    } else {
      jobs.removeFirst(index)
    }
    flushAll()
    isTickExpected = !jobs.isEmpty
    if !jobs.isEmpty {
      eventLoop.assumeIsolated().scheduleTask(in: Self.breather) { self.tick() }
    }
  }

  private func flushAll() {
    var index = 0
    while index < flushables.count {
      flushables[index].flushAtTickEnd()
      index += 1
    }
    flushables.removeAll(keepingCapacity: true)
  }

  private func takeForeign() {
    foreign.withLock { foreign in
      if foreign.isEmpty { return }
      jobs.append(contentsOf: foreign)
      foreign.removeAll(keepingCapacity: true)
    }
  }

  private func scheduleTick() {
    if isTickExpected { return }
    isTickExpected = true
    eventLoop.execute { self.tick() }
  }
}

extension EventLoop {
  /// Runs a closure on the loop: now if this is the loop's thread, else soon.
  func run(_ body: @escaping @Sendable () -> Void) {
    if inEventLoop {
      body()
    } else {
      execute(body)
    }
  }
}
