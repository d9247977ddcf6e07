import DequeModule
import NIOCore

/// The sending end of one direction of a call: messages in, segments out, as far as the receiver's credit goes.
struct OutboundPipe {
  private var queue: Deque<ByteBuffer> = []
  private(set) var queuedBytes = 0
  private(set) var hasSent = false
  private var offset: UInt64 = 0
  private var limit: UInt64
  /// The caller's half-close waits behind the queue.
  private(set) var endsAfterQueue = false
  private(set) var isEnded = false
  /// The server's status waits behind the queue.
  var statusAfterQueue: Status?

  init(limit: UInt64, ended: Bool) {
    self.limit = limit
    self.isEnded = ended
  }

  var isIdle: Bool {
    queue.isEmpty && !hasSent
  }

  var isDrained: Bool {
    queue.isEmpty
  }

  /// What comes after the end goes nowhere.
  mutating func enqueue(_ message: ByteBuffer) {
    if isEnded || endsAfterQueue { return }
    queue.append(message)
    queuedBytes += message.readableBytes
  }

  mutating func endAfterQueue() {
    endsAfterQueue = true
  }

  /// Whether the limit was below this one.
  mutating func raise(to limit: UInt64) -> Bool {
    guard limit > self.limit else { return false }
    self.limit = limit
    return true
  }

  /// Whether a segment can leave, given the connection's credit.
  var canSend: Bool {
    if isEnded { return false }
    guard let message = queue.first else { return endsAfterQueue }
    return Self.isSendable(message, room: limit - min(offset, limit))
  }

  /// The next segment; nil when nothing can leave. `connectionCredit` is lowered by what leaves.
  mutating func nextSegment(connectionCredit: inout UInt64) -> (ByteBuffer, DataFlags)? {
    if isEnded { return nil }
    guard var message = queue.first else {
      guard endsAfterQueue else { return nil }
      isEnded = true
      return (ByteBuffer(), [.endStream])
    }
    let room = min(UInt64(FrameLayout.maximumSize), limit - min(offset, limit), connectionCredit)
    guard Self.isSendable(message, room: room) else { return nil }
    let length = min(message.readableBytes, Int(room) - FrameLayout.headerSize)
    guard let segment = message.readSlice(length: length) else { return nil }
    let cost = UInt64(FrameLayout.headerSize + length)
    offset += cost
    connectionCredit -= cost
    queuedBytes -= length
    hasSent = true
    guard message.readableBytes == 0 else {
      queue[queue.startIndex] = message
      return (segment, [])
    }
    queue.removeFirst()
    guard queue.isEmpty, endsAfterQueue else { return (segment, [.endMessage]) }
    isEnded = true
    return (segment, [.endMessage, .endStream])
  }

  private static func isSendable(_ message: ByteBuffer, room: UInt64) -> Bool {
    room >= FrameLayout.headerSize + min(message.readableBytes, 1)
  }
}
