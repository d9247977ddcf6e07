import NIOCore

/// Bytes that arrived, until they are frames.
public struct FrameBuffer: Sendable {
  private var bytes = ByteBuffer()

  /// A buffer that nothing arrived in.
  public init() {}

  /// Takes bytes that arrived. Call `next` until it has no more before the next ones.
  public mutating func append(_ more: ByteBuffer) {
    guard bytes.readableBytes > 0 else {
      bytes = more
      return
    }
    // A buffer of its own: one that grew by every read would keep all that was read before.
    var joined = ByteBuffer()
    joined.reserveCapacity(bytes.readableBytes + more.readableBytes)
    joined.writeImmutableBuffer(bytes)
    joined.writeImmutableBuffer(more)
    bytes = joined
  }

  /// The next frame; nil when it is not there in full.
  /// - Throws: `WireError` MALFORMED_FRAME.
  public mutating func next() throws(WireError) -> Frame? {
    if let frame = try FrameDecoder.decode(&bytes) { return frame }
    if bytes.readableBytes == 0 {
      bytes = ByteBuffer()
    } else if bytes.readerIndex > 0 {
      bytes = ByteBuffer(bytes: bytes.readableBytesView)
    }
    return nil
  }

  /// The memory that is kept until more arrives, in bytes.
  var keptBytes: Int {
    bytes.storageCapacity
  }
}
