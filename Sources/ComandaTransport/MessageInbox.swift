import DequeModule
import NIOCore

/// Messages that wait for their reader, or a reader that waits for its message. Confined to one event loop.
struct MessageInbox {
  typealias Reader = CheckedContinuation<ByteBuffer?, any Error>

  /// A message, and its cost that becomes creditable when it is taken.
  struct Item {
    var message: ByteBuffer
    var cost: UInt64
  }

  private var items: Deque<Item> = []
  private var end: Result<Void, any Error>?
  private var reader: Reader?

  /// What a read finds: an item, the end, or nothing yet.
  enum Found {
    case item(Item)
    case end
    case nothing
  }

  /// Hands a message over; returns true when a waiting reader got it.
  mutating func deliver(_ item: Item) -> Bool {
    if end != nil { return true }
    guard let reader else {
      items.append(item)
      return false
    }
    self.reader = nil
    reader.resume(returning: item.message)
    return true
  }

  /// No further message comes. What was delivered before can still be read, unless it is dropped.
  mutating func finish(_ result: Result<Void, any Error>, dropping: Bool = false) {
    if dropping { items.removeAll() }
    guard end == nil else { return }
    end = result
    guard let reader else { return }
    self.reader = nil
    switch result {
    case .success: reader.resume(returning: nil)
    case .failure(let error): reader.resume(throwing: error)
    }
  }

  /// Takes what there is, without waiting.
  mutating func poll() throws -> Found {
    if let item = items.popFirst() { return .item(item) }
    switch end {
    case .success: return .end
    case .failure(let error): throw error
    case nil: return .nothing
    }
  }

  /// Has a reader wait; one that waited before is told that there is another one.
  mutating func wait(_ reader: Reader) {
    self.reader?.resume(throwing: CancellationError())
    self.reader = reader
  }

  /// Ends the wait of a reader whose task was cancelled.
  mutating func cancelReader() {
    reader?.resume(throwing: CancellationError())
    reader = nil
  }
}
