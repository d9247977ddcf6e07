import NIOCore
import Testing

@testable import ComandaWire

@Suite("Bytes that arrived, until they are frames")
struct FrameBufferTests {
  @Test("frames come out as they went in, however their bytes are cut", arguments: Seeds.some(4))
  func anyCut(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var bytes = ByteBuffer()
    for frame in FrameSamples.all { FrameEncoder.encode(frame, into: &bytes) }
    var buffer = FrameBuffer()
    var frames: [Frame] = []
    while bytes.readableBytes > 0 {
      let count = min(bytes.readableBytes, Int.random(in: 1...40, using: &random))
      guard let piece = bytes.readSlice(length: count) else { break }
      buffer.append(piece)
      while let frame = try buffer.next() { frames.append(frame) }
    }
    #expect(frames == FrameSamples.all, "seed \(seed)")
  }

  @Test("a stream whose reads never end at a frame's end keeps no more than a frame")
  func flat() throws {
    var stream = ByteBuffer()
    for _ in 0..<64 { FrameEncoder.encode(.data(1, .pattern(10_000), flags: []), into: &stream) }
    var buffer = FrameBuffer()
    buffer.append(ByteBuffer(bytes: Frame.ping(1).encoded.readableBytesView.prefix(5)))
    #expect(try buffer.next() == nil)
    buffer.append(ByteBuffer(bytes: Frame.ping(1).encoded.readableBytesView.dropFirst(5)))
    var frames = 0
    for _ in 0..<20 {
      var rest = stream
      while let piece = rest.readSlice(length: min(rest.readableBytes, 30_011)), piece.readableBytes > 0 {
        buffer.append(piece)
        while try buffer.next() != nil { frames += 1 }
        #expect(buffer.keptBytes <= 16_384)
      }
    }
    #expect(frames == 1 + 20 * 64)
  }

  @Test("what is malformed is refused")
  func malformed() {
    var buffer = FrameBuffer()
    buffer.append(rawFrame(type: 99))
    #expect(violation { _ = try buffer.next() } == .malformedFrame)
  }
}
