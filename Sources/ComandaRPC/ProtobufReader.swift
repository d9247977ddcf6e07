/// Reads the wire format of Protobuf, a field at a time, out of bytes that it does not own. Nothing in them can trap: what
/// is malformed answers nil.
///
/// Source: https://protobuf.dev/programming-guides/encoding/
struct ProtobufReader {
  /// How a field's value is laid out. Groups, which proto3 does not have, are malformed.
  enum WireType: UInt8 {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
  }

  /// What comes ahead of a value.
  struct Key {
    let number: UInt32
    let type: WireType
  }

  private var rest: UnsafeRawBufferPointer.SubSequence

  init(_ bytes: UnsafeRawBufferPointer) {
    rest = bytes[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  /// The key of the next field.
  mutating func key() -> Key? {
    guard let value = varint(), let bits = UInt32(exactly: value), let type = WireType(rawValue: UInt8(bits & 7)),
      bits >> 3 > 0
    else { return nil }
    return Key(number: bits >> 3, type: type)
  }

  /// A number of at most ten bytes.
  mutating func varint() -> UInt64? {
    guard let first = rest.popFirst() else { return nil }
    if first < 0x80 { return UInt64(first) }
    var value = UInt64(first & 0x7F)
    for shift in stride(from: UInt64(7), through: 63, by: 7) {
      guard let byte = rest.popFirst() else { return nil }
      // The tenth byte has room for one bit.
      guard shift < 63 || byte <= 1 else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// A length, and so many bytes.
  mutating func delimited() -> UnsafeRawBufferPointer? {
    guard let length = varint().flatMap({ Int(exactly: $0) }) else { return nil }
    return take(length)
  }

  /// Leaves a value out; false when it is malformed.
  mutating func skip(_ type: WireType) -> Bool {
    switch type {
    case .varint: varint() != nil
    case .fixed64: take(8) != nil
    case .delimited: delimited() != nil
    case .fixed32: take(4) != nil
    }
  }

  private mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count <= rest.count else { return nil }
    let taken = UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    rest = rest.dropFirst(count)
    return taken
  }
}
