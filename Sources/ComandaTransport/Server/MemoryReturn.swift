import CLinux
import ComandaRPC
import NIOCore
import NIOPosix
import Synchronization

/// Gives memory back to the system after much of it was in use: the allocator keeps what many small buffers leave behind,
/// 80 MiB after answers of 60 KB that nobody read, until it is told to look through its heaps.
///
/// That takes milliseconds, in which allocations wait, so it happens when there is something to gain, and now and then.
final class MemoryReturn: Sendable {
  private let budget: MemoryBudget
  private let schedule = Mutex(Schedule())

  /// Decides when it is worth while. Time is an argument.
  struct Schedule {
    /// By how much the use must have fallen.
    static let leastFall = 4 << 20
    /// The shortest time between two times.
    static let interval = TimeAmount.seconds(30)

    private var peak = 0
    private var quietUntil = NIODeadline.uptimeNanoseconds(0)

    /// Whether it will be due once its time has come.
    var isWaiting: Bool { peak >= Self.leastFall }

    /// Whether to give memory back now, of which so much is used, and was at most since the last look.
    mutating func isDue(used: Int, most: Int, at now: NIODeadline) -> Bool {
      peak = max(peak, used, most)
      guard peak - used >= Self.leastFall, now >= quietUntil else { return false }
      peak = used
      quietUntil = now + Self.interval
      return true
    }
  }

  init(_ budget: MemoryBudget) {
    self.budget = budget
  }

  /// Whether to go on looking though no connection is left.
  var isWaiting: Bool {
    schedule.withLock(\.isWaiting)
  }

  /// Called every now and then, on a loop.
  func check(at now: NIODeadline) {
    let isDue = schedule.withLock { schedule in
      let (used, most) = budget.takePeak()
      return schedule.isDue(used: used, most: most, at: now)
    }
    if isDue { NIOThreadPool.singleton.submit { _ in comanda_return_free_memory() } }
  }
}
