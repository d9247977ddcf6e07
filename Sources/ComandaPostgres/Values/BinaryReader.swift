import FoundationEssentials

/// Reads PostgreSQL's binary format. Nothing here trusts a length: nil means that the bytes are not such a value.
enum BinaryReader {
  @inline(__always)
  static func integer<Value: FixedWidthInteger>(_: Value.Type, _ bytes: UnsafeRawBufferPointer) -> Value? {
    guard bytes.count == MemoryLayout<Value>.size else { return nil }
    return Value(bigEndian: bytes.loadUnaligned(as: Value.self))
  }

  static func text(_ bytes: UnsafeRawBufferPointer) -> String? {
    String(validating: bytes, as: UTF8.self)
  }

  /// jsonb starts with a version, which is 1.
  static func jsonb(_ bytes: UnsafeRawBufferPointer) -> String? {
    guard bytes.first == 1 else { return nil }
    return text(UnsafeRawBufferPointer(rebasing: bytes.dropFirst()))
  }

  static func uuid(_ bytes: UnsafeRawBufferPointer) -> UUID? {
    guard bytes.count == MemoryLayout<uuid_t>.size else { return nil }
    return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
  }

  /// An array of at most one dimension.
  static func array<Element>(
    _ bytes: UnsafeRawBufferPointer, _ read: (PostgresType, UnsafeRawBufferPointer) -> Element?
  ) -> [Element?]? {
    var cursor = Cursor(bytes)
    guard let dimensions = cursor.integer(Int32.self), cursor.integer(Int32.self) != nil,
      let type = cursor.integer(UInt32.self).map(PostgresType.init)
    else { return nil }
    if dimensions == 0 { return [] }
    guard dimensions == 1, let count = cursor.integer(Int32.self), count >= 0, cursor.integer(Int32.self) != nil,
      Int(count) <= cursor.remaining / 4
    else { return nil }
    var elements: [Element?] = []
    elements.reserveCapacity(Int(count))
    for _ in 0..<count {
      guard let length = cursor.integer(Int32.self) else { return nil }
      if length == -1 {
        elements.append(nil)
      } else {
        guard length >= 0, let slice = cursor.take(Int(length)), let element = read(type, slice) else { return nil }
        elements.append(element)
      }
    }
    return elements
  }

  /// numeric is digits to the base 10,000, a weight, a sign and a display scale. Nil unless whole and in range.
  static func wholeNumeric(_ bytes: UnsafeRawBufferPointer) -> Int64? {
    var cursor = Cursor(bytes)
    guard let count = cursor.integer(Int16.self), let weight = cursor.integer(Int16.self),
      let sign = cursor.integer(UInt16.self), cursor.integer(UInt16.self) != nil, count >= 0,
      sign == 0 || sign == 0x4000
    else { return nil }
    // Digits below the decimal point are not sent when they are zero, so one that is there makes the value no integer.
    guard Int(count) <= max(0, Int(weight) + 1), weight <= 4 else { return nil }
    var value: Int64 = 0
    for position in 0..<max(0, Int(weight) + 1) {
      var digit: Int64 = 0
      if position < Int(count) {
        guard let next = cursor.integer(Int16.self), (0..<10_000).contains(next) else { return nil }
        digit = Int64(next)
      }
      // Counting downwards, since the negative range is the larger one.
      let (scaled, overflow) = value.multipliedReportingOverflow(by: 10_000)
      let (next, underflow) = scaled.subtractingReportingOverflow(digit)
      guard !overflow, !underflow else { return nil }
      value = next
    }
    guard sign == 0 else { return value }
    return value == .min ? nil : -value
  }
}

/// Walks over bytes, and never past their end.
private struct Cursor {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  var remaining: Int { bytes.count - offset }

  mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, count <= remaining else { return nil }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
  }

  mutating func integer<Value: FixedWidthInteger>(_: Value.Type) -> Value? {
    take(MemoryLayout<Value>.size).flatMap { BinaryReader.integer(Value.self, $0) }
  }
}
