import Dispatch
import Glibc
import Synchronization

/// Somebody ended the work by a signal.
struct Interruption: Error {
  let status: CommandStatus
}

/// Does some work that SIGINT (Ctrl-C) and SIGTERM cancel; a second signal ends the process at once.
/// - Throws: ``Interruption`` when a signal came, else what the work throws.
func untilInterrupted<Result: Sendable>(
  _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let task = Task { try await work() }
  let signals = ReceivedSignals()
  let sources = [(SIGINT, CommandStatus.interrupted), (SIGTERM, CommandStatus.terminated)].map { number, status in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      if signals.isFirst(status) { task.cancel() } else { _exit(status.rawValue) }
    }
    source.activate()
    return source
  }
  defer {
    for source in sources { source.cancel() }
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
  }
  do {
    return try await task.value
  } catch {
    if let status = signals.first { throw Interruption(status: status) }
    throw error
  }
}

/// Remembers the first signal.
private final class ReceivedSignals: Sendable {
  private let received = Mutex<CommandStatus?>(nil)

  var first: CommandStatus? {
    received.withLock { $0 }
  }

  func isFirst(_ status: CommandStatus) -> Bool {
    received.withLock { received in
      if received != nil { return false }
      received = status
      return true
    }
  }
}
