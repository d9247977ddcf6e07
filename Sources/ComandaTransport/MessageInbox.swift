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
  private enum End {
    case open, finished
    case failed(any Error)
  }

  private var end = End.open
  private var reader: Reader?
  private var turns: UInt64 = 0

  /// What a read finds: an item, the end, or nothing yet.
  enum Found {
    case item(Item)
    case end
    case nothing
  }

  /// Hands a message over; returns true when nobody has to take it any more.
  mutating func deliver(_ item: Item) -> Bool {
    guard case .open = end else { return true }
    guard let reader else {
      items.append(item)
      return false
    }
    self.reader = nil
    reader.resume(returning: item.message)
    return true
  }

  /// No further message comes. What was delivered before can still be read.
  mutating func finish(_ result: Result<Void, any Error>) {
    guard case .open = end else { return }
    switch result {
    case .success:
      end = .finished
      reader?.resume(returning: nil)
    case .failure(let error):
      end = .failed(error)
      reader?.resume(throwing: error)
    }
    reader = nil
  }

  /// Nothing is read any more, not even what was delivered before.
  /// - Returns: the cost of that.
  mutating func drop(_ error: any Error) -> UInt64 {
    let cost = items.reduce(0) { $0 &+ $1.cost }
    if !items.isEmpty { items = [] }
    end = .failed(error)
    reader?.resume(throwing: error)
    reader = nil
    return cost
  }

  /// Takes what there is, without waiting.
  mutating func poll() throws -> Found {
    if let item = items.popFirst() { return .item(item) }
    switch end {
    case .open: return .nothing
    case .finished: return .end
    case .failed(let error): throw error
    }
  }

  /// Tells the next wait from all others: the cancellation of one that is over must not end another.
  func nextTurn() -> UInt64 {
    turns + 1
  }

  /// Has a reader wait; one that waited before is told that there is another one.
  mutating func wait(_ reader: Reader) {
    self.reader?.resume(throwing: CancellationError())
    self.reader = reader
    turns += 1
  }

  /// Ends the wait of a reader, if one waits.
  mutating func interruptReader(_ error: any Error) {
    reader?.resume(throwing: error)
    reader = nil
  }

  /// Ends the wait of a reader whose task was cancelled, if it still waits.
  mutating func cancelReader(of turn: UInt64) {
    guard turn == turns else { return }
    reader?.resume(throwing: CancellationError())
    reader = nil
  }
}
