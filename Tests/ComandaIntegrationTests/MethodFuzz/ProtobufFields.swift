/// Fields as Protobuf's wire format has them, also such as no encoder writes.
///
/// Source: https://protobuf.dev/programming-guides/encoding/
enum ProtobufField {
  static func varint(_ number: UInt32, _ value: UInt64) -> [UInt8] {
    key(number, 0) + varint(value)
  }

  static func fixed64(_ number: UInt32, _ value: UInt64) -> [UInt8] {
    key(number, 1) + withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  static func delimited(_ number: UInt32, _ content: [UInt8]) -> [UInt8] {
    key(number, 2) + varint(UInt64(content.count)) + content
  }

  static func fixed32(_ number: UInt32, _ value: UInt32) -> [UInt8] {
    key(number, 5) + withUnsafeBytes(of: value.littleEndian, Array.init)
  }

  /// A field of the kind that proto3 does not have any more.
  static func group(_ number: UInt32, _ content: [UInt8]) -> [UInt8] {
    key(number, 3) + content + key(number, 4)
  }

  /// Messages, each inside of the one before.
  static func nest(_ number: UInt32, depth: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<depth { bytes = delimited(number, bytes) }
    return bytes
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes): (UInt64, [UInt8]) = (value, [])
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }

  private static func key(_ number: UInt32, _ type: UInt64) -> [UInt8] {
    varint(UInt64(number) << 3 | type)
  }
}
