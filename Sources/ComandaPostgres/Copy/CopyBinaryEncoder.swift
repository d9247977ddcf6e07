public import FoundationEssentials

/// Writes rows in the format of `COPY … FROM STDIN (FORMAT binary)`, into a buffer that is used again and again.
///
/// Call ``header()`` once, then for each row ``beginRow(fields:)`` and one function a column in the order of the COPY
/// statement's columns, then ``trailer()`` once. Hand the encoder to ``CopyWriter/write(_:)-(CopyBinaryEncoder)``
/// whenever ``count`` has grown to a buffer's size. Each function writes exactly its type: an `int4` into a bigint
/// column is refused by the server.
public struct CopyBinaryEncoder: Sendable {
  private var writer = BinaryWriter()

  /// Makes an empty encoder.
  ///
  /// - Parameter capacity: the buffer's size to begin with, in bytes.
  public init(capacity: Int = 256 * 1_024) {
    writer.reserveCapacity(capacity)
  }

  /// The number of bytes that wait to be sent.
  public var count: Int { writer.count }

  /// The bytes that wait to be sent.
  public var bytes: [UInt8] { writer.bytes }

  /// The file's signature, flags and extension length.
  public mutating func header() {
    writer.append([0x50, 0x47, 0x43, 0x4f, 0x50, 0x59, 0x0a, 0xff, 0x0d, 0x0a, 0x00])
    writer.append(Int64(0))
  }

  /// Begins a row of so many columns.
  public mutating func beginRow(fields: Int) {
    writer.append(Int16(truncatingIfNeeded: fields))
  }

  /// The end of the data.
  public mutating func trailer() {
    writer.append(Int16(-1))
  }

  /// NULL
  public mutating func null() {
    writer.append(Int32(-1))
  }

  /// bool
  public mutating func bool(_ value: Bool) {
    writer.append(Int32(1))
    writer.append(value)
  }

  /// int2 (smallint)
  public mutating func int2(_ value: Int16) {
    writer.append(Int32(2))
    writer.append(value)
  }

  /// int4 (integer)
  public mutating func int4(_ value: Int32) {
    writer.append(UInt64(4) << 32 | UInt64(UInt32(bitPattern: value)))
  }

  /// int8 (bigint)
  public mutating func int8(_ value: Int64) {
    writer.append(Int32(8))
    writer.append(value)
  }

  /// float8 (double precision)
  public mutating func float8(_ value: Double) {
    writer.append(Int32(8))
    writer.append(value)
  }

  /// text; a NUL character would fail the whole COPY.
  public mutating func text(_ value: String) {
    writer.append(Int32(truncatingIfNeeded: value.utf8.count))
    writer.append(value)
  }

  /// text, whose bytes must be UTF-8 without a NUL; one that is not would fail the whole COPY.
  public mutating func text(_ utf8: UnsafeRawBufferPointer) {
    bytea(utf8)
  }

  /// bytea
  public mutating func bytea(_ value: UnsafeRawBufferPointer) {
    writer.append(Int32(truncatingIfNeeded: value.count))
    writer.append(raw: value)
  }

  /// bytea
  public mutating func bytea(_ value: some Collection<UInt8>) {
    writer.append(Int32(truncatingIfNeeded: value.count))
    writer.append(value)
  }

  /// uuid
  public mutating func uuid(_ value: UUID) {
    writer.append(Int32(16))
    writer.append(value)
  }

  /// timestamptz
  ///
  /// - Throws: ``PostgresError`` of kind `invalidParameter` for a time outside of PostgreSQL's range.
  public mutating func timestamp(microsecondsSinceUnixEpoch: Int64) throws(PostgresError) {
    guard let time = PostgresEpoch.postgresTime(fromUnix: microsecondsSinceUnixEpoch) else {
      throw PostgresError(.invalidParameter, "a time is outside of PostgreSQL's range")
    }
    writer.append(Int32(8))
    writer.append(time)
  }

  /// jsonb, as JSON text
  public mutating func jsonb(_ value: String) {
    writer.append(Int32(truncatingIfNeeded: value.utf8.count + 1))
    writer.appendJSONB(value)
  }

  /// jsonb, as JSON text in UTF-8 without a NUL
  public mutating func jsonb(_ utf8: UnsafeRawBufferPointer) {
    writer.append(Int32(truncatingIfNeeded: utf8.count + 1))
    writer.append(UInt8(1))
    writer.append(raw: utf8)
  }

  /// int4[]
  public mutating func int4Array(_ values: some Collection<Int32?>) {
    writer.appendLengthPrefixed { $0.appendArray(values, of: .int4) { $0.append($1) } }
  }

  /// int8[]
  public mutating func int8Array(_ values: some Collection<Int64?>) {
    writer.appendLengthPrefixed { $0.appendArray(values, of: .int8) { $0.append($1) } }
  }

  /// text[]
  public mutating func textArray(_ values: some Collection<String?>) {
    writer.appendLengthPrefixed { $0.appendArray(values, of: .text) { $0.append($1) } }
  }

  /// text[], whose elements must be UTF-8 without a NUL
  public mutating func textArray(_ values: some Collection<UnsafeRawBufferPointer?>) {
    writer.appendLengthPrefixed { $0.appendArray(values, of: .text) { $0.append(raw: $1) } }
  }

  /// Throws the bytes away and keeps the buffer.
  public mutating func removeAll() {
    writer.removeAll()
  }

  mutating func take() -> [UInt8] {
    writer.take()
  }

  mutating func reuse(_ buffer: consuming [UInt8]) {
    writer.reuse(buffer)
  }
}
