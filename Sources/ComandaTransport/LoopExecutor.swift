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
/// - NIO polls the sockets again only when its queue of tasks is empty. A handler in a `Task.yield` loop keeps it from
///   being so, by jobs of its own and by resumes from other threads. So a tick runs a few rounds of what it found, and
///   ticks that followed each other for a while without a read are interrupted: what is left waits for a timer.
/// - Resumes from other threads go through one locked queue with one wake-up a batch.
/// - A job enqueued after the loop's shutdown is lost for ever: stop loops only when every call has ended.
final class LoopExecutor: TaskExecutor, @unchecked Sendable {
  /// How long ticks may follow each other before the loop must poll.
  private static let stretch = TimeAmount.milliseconds(1)
  /// Two ticks further apart than this had a poll between them.
  private static let pause = TimeAmount.microseconds(200)
  /// Time for the loop to poll.
  private static let breather = TimeAmount.microseconds(50)
  /// How often a tick looks for jobs that its jobs added.
  private static let roundsPerTick = 8
  /// Jobs between two looks at the clock.
  private static let jobsPerClockRead = 32

  let eventLoop: any EventLoop

  // Confined to the loop; `foreign` is what other threads may touch.
  private var jobs: [UnownedJob] = []
  private var flushables: [any TickFlushable] = []
  private var isTickExpected = false
  private var isResting = false
  private var busySince = NIODeadline.uptimeNanoseconds(0)
  private var lastTick = NIODeadline.uptimeNanoseconds(0)
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

  /// Runs a tick soon, for one that was expected and may not come: a channel that fails between `channelRead` and
  /// `channelReadComplete` has no `channelReadComplete`.
  func tickSoon() {
    eventLoop.execute { self.tick() }
  }

  /// Runs what is ready, then flushes.
  /// - Parameter afterRead: whether the loop polled its sockets just now.
  func tick(afterRead: Bool = false) {
    let now = NIODeadline.now()
    if afterRead || now - lastTick > Self.pause {
      busySince = now
    } else if isResting || now - busySince > Self.stretch {
      return rest()
    }
    isTickExpected = true
    runJobs(until: now + Self.stretch)
    flushAll()
    lastTick = .now()
    isTickExpected = isResting || !jobs.isEmpty
    guard !jobs.isEmpty, !isResting else { return }
    if lastTick - busySince > Self.stretch {
      rest()
    } else {
      eventLoop.execute { self.tick() }
    }
  }

  /// Leaves the loop to its sockets for a moment.
  private func rest() {
    if isResting { return }
    isResting = true
    isTickExpected = true
    eventLoop.assumeIsolated().scheduleTask(in: Self.breather) {
      self.isResting = false
      self.busySince = .now()
      self.lastTick = self.busySince
      self.tick()
    }
  }

  private func runJobs(until deadline: NIODeadline) {
    var index = 0
    for _ in 0..<Self.roundsPerTick {
      takeForeign()
      let end = jobs.count
      if index == end { break }
      while index < end {
        jobs[index].runSynchronously(on: asUnownedTaskExecutor())
        index += 1
        if index % Self.jobsPerClockRead == 0, NIODeadline.now() > deadline {
          jobs.removeFirst(index)
          return
        }
      }
    }
    if index == jobs.count {
      jobs.removeAll(keepingCapacity: true)
    } else {
      jobs.removeFirst(index)
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
