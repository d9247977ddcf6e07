import CLibPQ
import Glibc
import Logging
import Synchronization

/// The thread that drives every connection of a pool, and the letterbox through which tasks reach it.
final class Reactor: Sendable {
  enum Command: Sendable {
    case call(Call)
    case lease(Lease)
    case withdraw(Lease)
    case leasedCall(Lease, Call)
    case cancel(Lease, Call)
    case cancelEnded(slot: Int, serial: UInt32)
    case resumeRows(Lease)
    case copy(Lease, CopySession, CopySession.Chunk)
    case endCopy(Lease, CopySession, abortingBecause: String?)
    case release(Lease, reusable: Bool)
    case connected(slot: Int, Result<Connector.Connected, PostgresError>)
    case shutDown
  }

  private struct Letterbox {
    var commands: [Command] = []
    /// Whether the thread sleeps, or is about to, and has to be woken.
    var isAsleep = false
    var isClosed = false
  }

  private let letterbox = Mutex(Letterbox())
  private let poller: Poller
  /// Opens when the thread has closed everything.
  private let ended = Gate()

  /// Starts the thread.
  init(_ configuration: PostgresConfiguration, logger: Logger) throws(PostgresError) {
    guard let poller = Poller() else {
      throw PostgresError(.configuration, "the system gives no epoll and eventfd descriptors: errno \(errno)")
    }
    self.poller = poller
    let isStarted = OSThread.start(name: "pg-reactor") { [self] in
      PoolDriver(configuration, reactor: self, poller: poller, logger: logger).run()
      ended.open()
    }
    if !isStarted { throw PostgresError(.configuration, "the system has no thread left for the database reactor") }
  }

  /// Leaves a command for the thread. False when it has ended.
  @discardableResult
  func post(_ command: Command) -> Bool {
    let (isOpen, wake) = letterbox.withLock { letterbox in
      guard !letterbox.isClosed else { return (false, false) }
      letterbox.commands.append(command)
      defer { letterbox.isAsleep = false }
      return (true, letterbox.isAsleep)
    }
    if wake { poller.wake() }
    return isOpen
  }

  /// Whether commands have been left. If not, the next one wakes the poller.
  func hasCommands() -> Bool {
    letterbox.withLock { letterbox in
      letterbox.isAsleep = letterbox.commands.isEmpty
      return !letterbox.isAsleep
    }
  }

  /// Takes what has been left, in exchange for an empty array.
  func takeCommands(_ commands: inout [Command]) {
    letterbox.withLock { letterbox in
      letterbox.isAsleep = false
      swap(&letterbox.commands, &commands)
    }
  }

  /// Refuses whatever comes from now on. Returns what came last.
  func close() -> [Command] {
    letterbox.withLock { letterbox in
      letterbox.isClosed = true
      defer { letterbox.commands = [] }
      return letterbox.commands
    }
  }

  func waitUntilEnded() async {
    await ended.wait()
  }
}
