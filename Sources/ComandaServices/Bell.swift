import Synchronization

/// Wakes the one task that waits; rung before it waits, it does not wait.
///
/// No `AsyncStream`: a cancelled reader ends a stream for good, and each wait that times out cancels its reader.
final class Bell: Sendable {
  private struct State {
    var isRung = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  func ring() {
    let waiter = state.withLock { state in
      if state.waiter == nil { state.isRung = true }
      return state.waiter.take()
    }
    waiter?.resume()
  }

  /// Waits for a ring, but not longer than `limit`; returns early when the task is cancelled.
  func wait(atMost limit: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.waitForRing() }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }

  private func waitForRing() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isRung = state.withLock { state in
          if !state.isRung { state.waiter = waiter }
          defer { state.isRung = false }
          return state.isRung
        }
        if isRung { waiter.resume() }
        // A cancellation before the waiter was there found nobody to wake.
        if Task.isCancelled { stopWaiting() }
      }
    } onCancel: {
      stopWaiting()
    }
  }

  private func stopWaiting() {
    state.withLock { $0.waiter.take() }?.resume()
  }
}
