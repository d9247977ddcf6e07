import NIOCore

@testable import ComandaWire

extension ByteBuffer {
  /// Bytes as a specification writes them: hexadecimal digits, with spaces wherever they help. Nil when they are not.
  init?(hex: String) {
    let digits = hex.filter { !$0.isWhitespace }
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
      guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    self.init(bytes: bytes)
  }

  /// The readable bytes, in hexadecimal digits.
  var hex: String {
    readableBytesView.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// So many bytes that differ from one place to the next, and with the seed.
  static func pattern(_ count: Int, seed: Int = 0) -> ByteBuffer {
    var bytes = ByteBuffer(
      bytes: (0..<min(count, 1_009)).map { UInt8(truncatingIfNeeded: ($0 &+ seed) &* 131 &+ $0 >> 8) })
    while bytes.readableBytes < count {
      let block = bytes
      bytes.writeImmutableBuffer(block)
    }
    bytes.moveWriterIndex(to: count)
    return bytes
  }
}

extension Frame {
  /// The frame's bytes.
  var encoded: ByteBuffer {
    var buffer = ByteBuffer()
    FrameEncoder.encode(self, into: &buffer)
    return buffer
  }
}

/// A frame's bytes from its parts, right or wrong.
func rawFrame(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = [], length: Int? = nil)
  -> ByteBuffer
{
  var buffer = ByteBuffer()
  buffer.writeInteger(UInt32(truncatingIfNeeded: length ?? payload.count) << 8 | UInt32(type))
  buffer.writeInteger(flags)
  buffer.writeInteger(stream)
  buffer.writeBytes(payload)
  return buffer
}
