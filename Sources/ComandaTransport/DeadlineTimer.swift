import NIOCore

/// One timer for all deadlines of a connection: set for the earliest, and for the next one when it fires.
///
/// A timer a call would cost more than the call. Calls that end early leave the timer as it is: it then fires once in
/// vain and looks again.
struct DeadlineTimer {
  private var scheduled: Scheduled<Void>?
  private var scheduledFor = NIODeadline.distantFuture

  /// Whether the timer is set for the deadline or earlier: asked first, it spares making a closure for nothing.
  func covers(_ deadline: NIODeadline) -> Bool {
    scheduledFor <= deadline
  }

  /// Sees to it that `fire` runs at the deadline or earlier.
  mutating func cover(_ deadline: NIODeadline, on loop: any EventLoop, fire: @escaping @Sendable () -> Void) {
    if covers(deadline) { return }
    scheduled?.cancel()
    scheduledFor = deadline
    scheduled = loop.scheduleTask(deadline: deadline, fire)
  }

  /// The timer fired: it is set for no deadline any more. Which ones have passed is the caller's to find out.
  mutating func fired() {
    scheduled = nil
    scheduledFor = .distantFuture
  }

  mutating func cancel() {
    scheduled?.cancel()
    fired()
  }
}
