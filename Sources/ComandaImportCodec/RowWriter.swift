import ComandaDomain

/// Writes messages of `import_rows.proto` in Protobuf's encoding, appending to one buffer that is used again.
///
/// Written by hand because it is the client's hot path: from an order to its bytes in one pass, without a message object
/// for each level. Fields with their default value are left out, as Protobuf does.
struct RowWriter {
  private(set) var bytes: [UInt8] = []

  /// The low bits of a field's key.
  private enum WireType {
    static let number: UInt8 = 0
    static let bytes: UInt8 = 2
  }

  mutating func reserve(_ count: Int) {
    bytes.reserveCapacity(count)
  }

  /// Forgets what was written after a point.
  mutating func truncate(to count: Int) {
    bytes.removeLast(bytes.count - count)  // bounded: a count that bytes had before
  }

  /// Takes away all that was written. The next bytes go to new memory.
  mutating func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  /// A number, also when it is 0.
  mutating func write(_ field: UInt8, present number: Int64) {
    bytes.append(field << 3 | WireType.number)
    append(varint: UInt64(bitPattern: number))
  }

  /// A number, unless it is 0.
  mutating func write(_ field: UInt8, _ number: Int64) {
    if number != 0 { write(field, present: number) }
  }

  /// A text, unless it is empty.
  mutating func write(_ field: UInt8, _ text: String) {
    let count = text.utf8.count
    guard count > 0 else { return }
    bytes.append(field << 3 | WireType.bytes)
    append(varint: UInt64(count))
    bytes.append(contentsOf: text.utf8)
  }

  /// Bytes, unless there are none.
  mutating func write(_ field: UInt8, _ content: UnsafeRawBufferPointer) {
    guard !content.isEmpty else { return }
    bytes.append(field << 3 | WireType.bytes)
    append(varint: UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// Begins a message, which ends with ``close(_:)``. (Not a closure: that would hold on to what it writes.)
  ///
  /// Its length is known only at the end. One byte is kept for it, which is enough below 128 bytes; a longer message is
  /// moved to make room.
  mutating func open(_ field: UInt8) -> OpenMessage {
    bytes.append(field << 3 | WireType.bytes)
    bytes.append(0)
    return OpenMessage(start: bytes.count)
  }

  /// Ends the message that was begun last.
  mutating func close(_ message: OpenMessage) {
    var length = bytes.count - message.start  // bounded: bytes only grow while a message is open
    var place = message.start - 1  // bounded: opening kept a byte before it
    while length >= 0x80 {
      bytes[place] = UInt8(length & 0x7F) | 0x80  // bounded: seven bits; place has a byte
      length >>= 7
      place += 1  // bounded: the next line inserts a byte there
      bytes.insert(0, at: place)
    }
    bytes[place] = UInt8(length)  // bounded: below 0x80, as the loop ends; place has a byte
  }

  /// Where the content of a message begins.
  struct OpenMessage {
    fileprivate let start: Int
  }

  private mutating func append(varint number: UInt64) {
    var rest = number
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)  // bounded: seven bits
      rest >>= 7
    }
    bytes.append(UInt8(rest))  // bounded: below 0x80, as the loop ends
  }
}
