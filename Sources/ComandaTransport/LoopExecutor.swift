import NIOCore
import Synchronization

/// Something that gathers bytes during a tick and sends them at its end.
protocol TickFlushable: AnyObject {
  func flushAtTickEnd()
}

/// Work that a tick begins once it has run the jobs that it found.
protocol TickWork: AnyObject {
  /// Whether some of it waits to be begun.
  var isWaiting: Bool { get }
  /// Enqueues a job that does some of it: all, unless the job has to wait for something or its time is up.
  func begin()
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
  /// The most jobs, or pieces of work of a job, between two looks at the clock. A tick's first looks come after 1, 2, 4, …
  /// pieces: slow ones are noticed before there are many.
  private static let piecesPerClockRead = 32

  let eventLoop: any EventLoop
  /// What ticks begin; set once, on the loop.
  weak var work: (any TickWork)?

  // Confined to the loop; `foreign` is what other threads may touch.
  private var jobs: [UnownedJob] = []
  private var flushables: [any TickFlushable] = []
  private var isTickExpected = false
  private var isResting = false
  private var busySince = NIODeadline.uptimeNanoseconds(0)
  private var lastTick = NIODeadline.uptimeNanoseconds(0)
  private var tickEnd = NIODeadline.uptimeNanoseconds(0)
  private var pieces = 0
  private var nextClockRead = 1
  private let foreign = Mutex(Foreign())

  /// What other threads brought.
  private struct Foreign {
    var jobs: [UnownedJob] = []
    var closures: [@Sendable () -> Void] = []

    var isEmpty: Bool {
      jobs.isEmpty && closures.isEmpty
    }
  }

  init(eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if eventLoop.inEventLoop {
      jobs.append(job)
      scheduleTick()
    } else {
      bring { $0.jobs.append(job) }
    }
  }

  /// Runs a closure on the loop: now if this is the loop's thread, else ahead of every job that this thread enqueues
  /// from now on. (What goes through the loop's own queue can be overtaken by such a job, which a tick takes at once.)
  func run(_ closure: @escaping @Sendable () -> Void) {
    if eventLoop.inEventLoop {
      closure()
    } else {
      bring { $0.closures.append(closure) }
    }
  }

  private func bring(_ append: (inout Foreign) -> Void) {
    let isFirst = foreign.withLock { foreign in
      let isFirst = foreign.isEmpty
      append(&foreign)
      return isFirst
    }
    if isFirst { eventLoop.execute { self.tick() } }
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
    tickEnd = now + Self.stretch
    pieces = 0
    nextClockRead = 1
    runJobs()
    flushAll()
    lastTick = .now()
    let hasMore = !jobs.isEmpty || isWorkWaiting
    isTickExpected = isResting || hasMore
    guard hasMore, !isResting else { return }
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

  /// Whether a job may go on with its next piece of work, or leaves it to the next tick.
  func hasTime() -> Bool {
    pieces += 1
    if pieces < nextClockRead { return true }
    nextClockRead += min(pieces, Self.piecesPerClockRead)
    return NIODeadline.now() <= tickEnd
  }

  private var isWorkWaiting: Bool {
    work?.isWaiting ?? false
  }

  private func runJobs() {
    var index = 0
    for _ in 0..<Self.roundsPerTick {
      takeForeign()
      if index == jobs.count, !isWorkWaiting { break }
      var end = jobs.count
      repeat {
        while index < end {
          jobs[index].runSynchronously(on: asUnownedTaskExecutor())
          index += 1
          if !hasTime() {
            jobs.removeFirst(index)
            return
          }
        }
        guard isWorkWaiting else { break }
        work?.begin()
        end = jobs.count
      } while index < end
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
    let closures = foreign.withLock { foreign in
      if foreign.isEmpty { return [@Sendable () -> Void]() }
      jobs.append(contentsOf: foreign.jobs)
      foreign.jobs.removeAll(keepingCapacity: true)
      return exchange(&foreign.closures, with: [])
    }
    for closure in closures { closure() }
  }

  /// Sees to it that there is a tick: the one that runs, one that is expected, or one of its own.
  func scheduleTick() {
    if isTickExpected { return }
    isTickExpected = true
    eventLoop.execute { self.tick() }
  }
}
