import ComandaDomain
import Synchronization

/// Tells watchers of this process that an import has moved. Only a shortcut: a watcher also looks by itself after a
/// while, since another server may have moved it.
public final class ImportNews: Sendable {
  private struct State {
    var lastWatcher: UInt64 = 0
    var watchers: [ImportID: [UInt64: Bell]] = [:]
  }

  private let state = Mutex(State())

  /// News of one server.
  public init() {}

  /// An import has changed.
  func changed(_ id: ImportID) {
    let bells = state.withLock { $0.watchers[id].map { Array($0.values) } ?? [] }
    for bell in bells { bell.ring() }
  }

  /// Runs a closure with a bell that rings when the import changes.
  func watching<Result>(_ id: ImportID, _ body: (Bell) async throws -> Result) async rethrows -> Result {
    let bell = Bell()
    let watcher = state.withLock { state in
      state.lastWatcher += 1  // bounded: 2^64 watchers never come
      state.watchers[id, default: [:]][state.lastWatcher] = bell  // bounded: a dictionary takes any key
      return state.lastWatcher
    }
    defer {
      state.withLock { state in
        state.watchers[id]?[watcher] = nil  // bounded: a dictionary takes any key
        if state.watchers[id]?.isEmpty == true { state.watchers[id] = nil }
      }
    }
    return try await body(bell)
  }
}
