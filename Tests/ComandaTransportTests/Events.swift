/// Things that happen in one task and are awaited in another, in their order.
final class Events<Event: Sendable>: Sendable {
  private let stream: AsyncStream<Event>
  private let continuation: AsyncStream<Event>.Continuation

  init() {
    (stream, continuation) = AsyncStream.makeStream()
  }

  func post(_ event: Event) {
    continuation.yield(event)
  }

  /// The next event; waits for it. Nil when the waiting task is cancelled.
  func next() async -> Event? {
    var iterator = stream.makeAsyncIterator()
    return await iterator.next()
  }
}

extension Events<Void> {
  func post() {
    post(())
  }
}
