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

  /// No further event comes; `next` is nil after the last one.
  func finish() {
    continuation.finish()
  }

  /// The next event; waits for it. Nil after the last, or when the waiting task is cancelled.
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

/// What a test needed and did not get.
struct Unmet: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
