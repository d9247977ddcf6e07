/// Wakes the one task that waits; rung before it waits, it does not wait.
struct Bell: Sendable {
  private let stream: AsyncStream<Void>
  private let ringer: AsyncStream<Void>.Continuation

  init() {
    (stream, ringer) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  func ring() {
    ringer.yield()
  }

  /// Waits for a ring, but not longer than `limit`; returns early when the task is cancelled.
  func wait(atMost limit: Duration) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [stream] in
        for await _ in stream { return }
      }
      group.addTask { try? await Task.sleep(for: limit) }
      await group.next()
      group.cancelAll()
    }
  }
}
