import ComandaWire
import NIOCore

/// The decoder takes bytes from a network: whatever they are, it must not trap, must not depend on the pieces in which
/// they arrive, and what it made of them must mean the same when it is written again.
enum DecoderScript {
  static func run(_ input: ByteBuffer) throws {
    let (whole, error) = decode(pieces: [input])
    var rest = input
    let size = 1 + Int(rest.readInteger(as: UInt8.self) ?? 0) % 32
    rest = input
    var pieces: [ByteBuffer] = []
    while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
      pieces.append(piece)
    }
    let (again, sameError) = decode(pieces: pieces)
    try Finding.require(whole == again && error == sameError, "pieces of \(size) bytes mean something else")
    for frame in whole where isCanonical(frame) {
      var bytes = ByteBuffer()
      FrameEncoder.encode(frame, into: &bytes)
      try Finding.require(bytes.readableBytes <= 16_384, "a frame has \(bytes.readableBytes) bytes")
      try Finding.require(try FrameDecoder.decode(&bytes) == frame, "\(frame) is another one when written again")
      try Finding.require(bytes.readableBytes == 0, "\(frame) leaves bytes behind")
    }
  }

  private static func decode(pieces: [ByteBuffer]) -> ([Frame], WireError?) {
    var buffer = FrameBuffer()
    var frames: [Frame] = []
    do throws(WireError) {
      for piece in pieces {
        buffer.append(piece)
        while let frame = try buffer.next() { frames.append(frame) }
      }
      return (frames, nil)
    } catch {
      return (frames, error)
    }
  }

  /// A sender cuts long messages and leaves long details out; a receiver takes what fits a frame.
  private static func isCanonical(_ frame: Frame) -> Bool {
    switch frame {
    case .ignored: false
    case .status(_, let status): status.message.utf8.count <= 2_048 && status.details.readableBytes <= 4_096
    case .close(_, let message): message.utf8.count <= 2_048
    default: true
    }
  }
}
