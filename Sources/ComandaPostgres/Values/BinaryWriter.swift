import FoundationEssentials

/// Writes values in PostgreSQL's binary format: big-endian, and without a length unless the function says so.
struct BinaryWriter: Sendable {
  private(set) var bytes: [UInt8] = []

  var count: Int { bytes.count }

  mutating func reserveCapacity(_ count: Int) {
    bytes.reserveCapacity(count)
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
  }

  /// Gives the bytes away, and leaves the writer empty and without a buffer.
  mutating func take() -> [UInt8] {
    var taken: [UInt8] = []
    swap(&taken, &bytes)
    return taken
  }

  /// Takes an emptied buffer back to write into again.
  mutating func reuse(_ buffer: consuming [UInt8]) {
    bytes = buffer
    bytes.removeAll(keepingCapacity: true)
  }

  @inline(__always)
  mutating func append<Value: FixedWidthInteger>(_ value: Value) {
    Swift.withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ value: Bool) {
    bytes.append(value ? 1 : 0)
  }

  mutating func append(_ value: Double) {
    append(value.bitPattern)
  }

  mutating func append(_ value: String) {
    bytes.append(contentsOf: value.utf8)
  }

  mutating func append(raw: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: raw)
  }

  mutating func append(_ value: some Collection<UInt8>) {
    bytes.append(contentsOf: value)
  }

  mutating func append(_ value: UUID) {
    Swift.withUnsafeBytes(of: value.uuid) { bytes.append(contentsOf: $0) }
  }

  /// The first byte of jsonb's binary form is a version.
  mutating func appendJSONB(_ value: String) {
    bytes.append(1)
    bytes.append(contentsOf: value.utf8)
  }

  /// Writes a length of four bytes, then what `body` writes.
  @inline(__always)
  mutating func appendLengthPrefixed(_ body: (inout BinaryWriter) -> Void) {
    let start = bytes.count
    append(Int32(0))
    body(&self)
    setLength(at: start, Int32(truncatingIfNeeded: bytes.count - start - 4))
  }

  /// Writes a one-dimensional array, its elements numbered from 1.
  mutating func appendArray<Element>(
    _ elements: some Collection<Element?>, of type: PostgresType,
    _ write: (inout BinaryWriter, Element) -> Void
  ) {
    let hasNulls = elements.contains { $0 == nil }
    append(Int32(elements.isEmpty ? 0 : 1))
    append(Int32(hasNulls ? 1 : 0))
    append(type.rawValue)
    guard !elements.isEmpty else { return }
    append(Int32(truncatingIfNeeded: elements.count))
    append(Int32(1))
    for element in elements {
      if let element {
        appendLengthPrefixed { write(&$0, element) }
      } else {
        append(Int32(-1))
      }
    }
  }

  private mutating func setLength(at offset: Int, _ length: Int32) {
    let value = UInt32(bitPattern: length)
    bytes[offset] = UInt8(truncatingIfNeeded: value >> 24)
    bytes[offset + 1] = UInt8(truncatingIfNeeded: value >> 16)
    bytes[offset + 2] = UInt8(truncatingIfNeeded: value >> 8)
    bytes[offset + 3] = UInt8(truncatingIfNeeded: value)
  }
}
