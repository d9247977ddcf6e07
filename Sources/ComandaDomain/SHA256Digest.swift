/// The 32 bytes of a SHA-256, as a plain value without a heap allocation.
public struct SHA256Digest: Hashable, Sendable {
  /// How many bytes a digest has.
  public static let byteCount = 32

  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// Takes the bytes of a digest; nil unless there are exactly 32.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    self.words = words
  }

  /// Makes a digest whose 32 bytes, zeros at first, the closure writes.
  public init(filling fill: (UnsafeMutableRawBufferPointer) -> Void) {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    Swift.withUnsafeMutableBytes(of: &words) { fill($0) }
    self.words = words
  }

  /// Reads 64 hexadecimal digits; nil for anything else.
  public init?(hex text: some StringProtocol) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    var high: UInt8?
    for digit in text.utf8 {
      guard let value = Self.value(ofHexDigit: digit), bytes.count < Self.byteCount else { return nil }
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    guard high == nil else { return nil }
    self.init(bytes)
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  /// Lends the 32 bytes without copying them.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try Swift.withUnsafeBytes(of: words, body)
  }

  /// Equal when all bytes are.
  public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

  /// Feeds the bytes, which are evenly spread already.
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  private static func value(ofHexDigit digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")  // bounded: by the pattern
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10  // bounded: by the pattern
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10  // bounded: by the pattern
    default: nil
    }
  }
}

extension SHA256Digest: CustomStringConvertible {
  /// 64 hexadecimal digits in lower case.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    text.reserveCapacity(2 * Self.byteCount)  // bounded: both are constants
    for byte in bytes {
      text.append(digits[Int(byte >> 4)])  // bounded: half a byte, of 16 digits
      text.append(digits[Int(byte & 15)])  // bounded: the other half
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// Computes a SHA-256. The domain imports no cryptography; who composes the program hands it in.
public typealias SHA256Function = @Sendable (UnsafeRawBufferPointer) -> SHA256Digest
