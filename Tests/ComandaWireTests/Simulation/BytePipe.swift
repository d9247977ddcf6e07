import NIOCore

@testable import ComandaWire

/// Bytes on their way from one side to the other, which arrive when and in the pieces that the simulation likes.
struct BytePipe {
  private var underway = ByteBuffer()
  private var arrived = FrameBuffer()

  /// Bytes that have not arrived.
  var isEmpty: Bool {
    underway.readableBytes == 0
  }

  /// Takes what a side sends.
  mutating func send(_ bytes: ByteBuffer) {
    if underway.readableBytes == 0 { underway.clear() }
    underway.writeImmutableBuffer(bytes)
  }

  /// Lets up to so many bytes arrive, and returns the frames that are complete by then.
  mutating func deliver(atMost count: Int) throws -> [Frame] {
    guard let piece = underway.readSlice(length: min(count, underway.readableBytes)) else { return [] }
    arrived.append(piece)
    var frames: [Frame] = []
    while let frame = try arrived.next() { frames.append(frame) }
    return frames
  }
}
