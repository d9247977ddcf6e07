import NIOCore

/// A fuzzer's bytes, read as numbers. Where they end, a script ends.
struct FuzzInput {
  private var bytes: ByteBuffer

  init(_ bytes: ByteBuffer) {
    self.bytes = bytes
  }

  mutating func byte() -> UInt8? {
    bytes.readInteger()
  }

  /// Up to so many bytes as they are.
  mutating func raw(_ count: Int) -> ByteBuffer {
    bytes.readSlice(length: min(count, bytes.readableBytes)) ?? ByteBuffer()
  }

  /// A length: small ones are exact, larger ones reach about the largest frame and a few beyond.
  mutating func length() -> Int? {
    byte().map { $0 < 128 ? Int($0) : (Int($0) - 127) * 137 }
  }

  /// A number of 64 bits of which one byte says the magnitude, up to the very largest.
  mutating func wide() -> UInt64? {
    guard let exponent = byte(), let fraction = byte() else { return nil }
    if exponent == 255 { return .max }
    return UInt64(fraction) << (UInt64(exponent) % 57)
  }
}
