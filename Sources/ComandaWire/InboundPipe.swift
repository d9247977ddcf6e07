import NIOCore

/// The receiving end of one direction of a call: segments in, messages out, and what may be credited to the sender.
///
/// Bytes are credited when the message that they belong to was taken by its reader, and those of a message under
/// assembly at once unless a complete one waits before it. So a message may be larger than the window, and a stalled
/// reader costs at most a window and one message. The first window is every call's own; what it gets beyond that comes
/// out of a sum that all calls of the connection share (`ConnectionStateMachine.windowBeyondFirst`).
struct InboundPipe {
  /// What a segment led to.
  enum OnSegment: Equatable {
    case incomplete
    case message(ByteBuffer, cost: UInt64)
    case ended
    case tooLarge(limit: UInt64)
    case creditExceeded
    case afterEnd
  }

  private(set) var isEnded: Bool
  private(set) var hasReceived = false
  private(set) var advertised: UInt64
  private let firstWindow: UInt64
  private var messageSize: UInt64
  private var received: UInt64 = 0
  private var held: UInt64 = 0
  private var assembly: ByteBuffer?
  private var assemblyCost: UInt64 = 0
  /// Messages that wait for their reader.
  private var waiting: UInt64 = 0

  init(window: UInt64, ended: Bool, messageSize: UInt64) {
    self.messageSize = messageSize
    self.advertised = window
    self.firstWindow = window
    self.isEnded = ended
  }

  /// Whether a message is only partly there.
  var isWithinMessage: Bool {
    assembly != nil
  }

  /// Bytes of the message that is only partly there.
  var assembling: UInt64 {
    UInt64(assembly?.readableBytes ?? 0)
  }

  /// Cost of what was received and is not credited yet.
  var withheld: UInt64 {
    held > 0 ? held + assemblyCost : 0
  }

  /// What the sender may still send.
  var creditLeft: UInt64 {
    isEnded ? 0 : advertised - received
  }

  /// What a call takes.
  struct Holding {
    /// What may have to be kept beyond the first window: what is withheld, and what the sender has credit for.
    var granted: UInt64
    /// What is kept beyond it: messages that are partly there, or wait for their reader.
    var kept: UInt64
    /// What is kept in all, as memory: what each message needs besides its bytes counts too.
    var memory: UInt64
  }

  /// What a message that waits costs besides its bytes: a buffer of its own and its place in line.
  static let messageOverhead: UInt64 = 128

  var holding: Holding {
    let granted = (advertised - received) + withheld
    let kept = held + assembling
    return Holding(
      granted: granted - min(firstWindow, granted), kept: kept - min(firstWindow, kept),
      memory: kept + waiting * Self.messageOverhead)
  }

  /// The largest message of this call, if it is below what the connection accepts.
  mutating func limitMessages(to bytes: UInt64) {
    messageSize = min(messageSize, bytes)
  }

  mutating func received(_ segment: ByteBuffer, flags: DataFlags) -> OnSegment {
    if isEnded { return .afterEnd }
    hasReceived = true
    let length = UInt64(segment.readableBytes)
    let cost = FrameLayout.cost(ofData: segment.readableBytes, flags)
    guard cost <= advertised, received <= advertised - cost else { return .creditExceeded }
    received += cost
    isEnded = flags.contains(.endStream)
    if isEnded, length == 0, assembly == nil, !flags.contains(.endMessage) { return .ended }
    guard assembling + length <= messageSize else { return .tooLarge(limit: messageSize) }
    assemblyCost += cost
    guard flags.contains(.endMessage) else {
      append(segment)
      return isEnded ? .afterEnd : .incomplete
    }
    let messageCost = assemblyCost
    held += messageCost
    waiting += 1
    assemblyCost = 0
    guard assembly != nil else { return .message(segment.compacted(), cost: messageCost) }
    append(segment)
    defer { assembly = nil }
    return .message(assembly ?? segment, cost: messageCost)
  }

  /// A message that is partly there has memory of its own: its first segment would keep the whole read that it came with.
  private mutating func append(_ segment: ByteBuffer) {
    if assembly == nil {
      assembly = ByteBuffer(bytes: segment.readableBytesView)
    } else {
      assembly?.writeImmutableBuffer(segment)
    }
  }

  /// The reader took a message of this cost, or all that waited.
  mutating func took(_ cost: UInt64) {
    held -= min(cost, held)
    waiting = held > 0 ? waiting - min(1, waiting) : 0
  }

  /// A new limit worth telling: at least half a window beyond the last one told. `beyond` is what the call may have
  /// on top of its first window.
  func creditDue(beyond: UInt64) -> UInt64? {
    let window = firstWindow + beyond
    let limit = (received - withheld).addingReportingOverflow(window)
    guard !limit.overflow, !isEnded, limit.partialValue > advertised,
      limit.partialValue - advertised >= window / 2
    else { return nil }
    return limit.partialValue
  }

  mutating func advertise(_ limit: UInt64) {
    advertised = limit
  }
}

extension ByteBuffer {
  /// The same bytes, in memory of their own if they are a small part of what they keep: a message that waits for its
  /// reader must not cost the whole read that it came with.
  fileprivate func compacted() -> ByteBuffer {
    storageCapacity / 4 > readableBytes ? ByteBuffer(bytes: readableBytesView) : self
  }
}
