import CLibPQ

/// Sends libpq's cancel requests, which block, on threads of their own.
enum Canceller {
  /// False when the system has no thread to give.
  static func cancel(_ handle: OpaquePointer, done: @escaping @Sendable () -> Void) -> Bool {
    let request = Request(handle: handle)
    let isStarted = OSThread.start(name: "pg-cancel") {
      var words = [CChar](repeating: 0, count: 256)
      // A request that did not get through leaves the statement to its time limit.
      _ = PQcancel(request.handle, &words, Int32(words.count))
      PQfreeCancel(request.handle)
      done()
    }
    if !isStarted { PQfreeCancel(handle) }
    return isStarted
  }

  /// Sendable: libpq documents `PQcancel` as safe in another thread, and nobody else holds the handle.
  private struct Request: @unchecked Sendable {
    let handle: OpaquePointer
  }
}
