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
  let signals = EndSignals.shared
  signals.begin { task.cancel() }
  defer { signals.end() }
  do {
    return try await task.value
  } catch {
    if let status = signals.first { throw Interruption(status: status) }
    throw error
  }
}

/// The signals that end the process, from the first work on that wants to end in order.
///
/// They are listened to once and for good: a second listener that comes while the first is being taken down may never
/// hear a thing.
private final class EndSignals: Sendable {
  static let shared = EndSignals()

  private struct State {
    var cancel: (@Sendable () -> Void)?
    var first: CommandStatus?
  }

  private let state = Mutex(State())
  /// Kept because a source that nobody holds is silent; nobody uses them.
  nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

  private init() {
    sources = [(SIGINT, CommandStatus.interrupted), (SIGTERM, .terminated)].map { number, status in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { EndSignals.shared.received(status) }
      source.activate()
      return source
    }
  }

  /// The first signal that came.
  var first: CommandStatus? {
    state.withLock { $0.first }
  }

  /// Has the next signal cancel some work.
  func begin(_ cancel: @escaping @Sendable () -> Void) {
    state.withLock { $0.cancel = cancel }
  }

  /// The work is done: the next signal ends the process.
  func end() {
    state.withLock { $0.cancel = nil }
  }

  private func received(_ status: CommandStatus) {
    let cancel = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.first == nil, let cancel = state.cancel else { return nil }
      state.first = status
      return cancel
    }
    guard let cancel else { _exit(status.rawValue) }
    cancel()
  }
}
