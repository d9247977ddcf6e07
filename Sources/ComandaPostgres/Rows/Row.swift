import CLibPQ
public import FoundationEssentials

/// One row of a result: a view, which copies nothing until a column is read.
///
/// Columns are numbered from 0. Reading a column as something that it is not throws ``PostgresError`` of kind
/// `decoding`, naming the column and its type.
public struct Row: Sendable {
  let result: ResultHandle
  let index: Int32

  /// The number of columns.
  public var columnCount: Int { Int(PQnfields(result.raw)) }

  /// The bytes of all values together, as the server sent them.
  public var byteCount: Int {
    (0..<PQnfields(result.raw)).reduce(0) { $0 + Int(PQgetlength(result.raw, index, $1)) }
  }

  /// Whether the column is NULL; a column that is not there counts as NULL.
  public func isNull(_ column: Int) -> Bool {
    guard let column = Int32(exactly: column), column >= 0, column < PQnfields(result.raw) else { return true }
    return PQgetisnull(result.raw, index, column) != 0
  }

  /// int2, int4 or int8; a numeric too, where it is whole.
  public func int64(_ column: Int) throws(PostgresError) -> Int64 { try required(column, int64OrNil(column)) }

  /// int2, int4, int8 or a whole numeric; nil for NULL.
  public func int64OrNil(_ column: Int) throws(PostgresError) -> Int64? {
    try cell(column) { (type, bytes) in
      switch type {
      case .int8: BinaryReader.integer(Int64.self, bytes)
      case .int4: BinaryReader.integer(Int32.self, bytes).map(Int64.init)
      case .int2: BinaryReader.integer(Int16.self, bytes).map(Int64.init)
      case .oid: BinaryReader.integer(UInt32.self, bytes).map(Int64.init)
      case .numeric: BinaryReader.wholeNumeric(bytes)
      default: nil
      }
    }
  }

  /// int2 or int4.
  public func int32(_ column: Int) throws(PostgresError) -> Int32 { try required(column, int32OrNil(column)) }

  /// int2 or int4; nil for NULL.
  public func int32OrNil(_ column: Int) throws(PostgresError) -> Int32? {
    try cell(column) { (type, bytes) in
      switch type {
      case .int4: BinaryReader.integer(Int32.self, bytes)
      case .int2: BinaryReader.integer(Int16.self, bytes).map(Int32.init)
      default: nil
      }
    }
  }

  /// int2.
  public func int16(_ column: Int) throws(PostgresError) -> Int16 { try required(column, int16OrNil(column)) }

  /// int2; nil for NULL.
  public func int16OrNil(_ column: Int) throws(PostgresError) -> Int16? {
    try cell(column) { (type, bytes) in type == .int2 ? BinaryReader.integer(Int16.self, bytes) : nil }
  }

  /// float4 or float8.
  public func double(_ column: Int) throws(PostgresError) -> Double { try required(column, doubleOrNil(column)) }

  /// float4 or float8; nil for NULL.
  public func doubleOrNil(_ column: Int) throws(PostgresError) -> Double? {
    try cell(column) { (type, bytes) in
      switch type {
      case .float8: BinaryReader.integer(UInt64.self, bytes).map(Double.init(bitPattern:))
      case .float4: BinaryReader.integer(UInt32.self, bytes).map { Double(Float(bitPattern: $0)) }
      default: nil
      }
    }
  }

  /// bool.
  public func bool(_ column: Int) throws(PostgresError) -> Bool { try required(column, boolOrNil(column)) }

  /// bool; nil for NULL.
  public func boolOrNil(_ column: Int) throws(PostgresError) -> Bool? {
    try cell(column) { (type, bytes) in type == .bool && bytes.count == 1 ? bytes[0] != 0 : nil }
  }

  /// text, varchar, char(n), name or an enum's label.
  public func text(_ column: Int) throws(PostgresError) -> String { try required(column, textOrNil(column)) }

  /// text, varchar, char(n), name or an enum's label; nil for NULL.
  public func textOrNil(_ column: Int) throws(PostgresError) -> String? {
    try cell(column) { (type, bytes) in
      type.isTextual || type.isUserDefined ? BinaryReader.text(bytes) : nil
    }
  }

  /// json or jsonb, as JSON text.
  public func json(_ column: Int) throws(PostgresError) -> String { try required(column, jsonOrNil(column)) }

  /// json or jsonb, as JSON text; nil for NULL.
  public func jsonOrNil(_ column: Int) throws(PostgresError) -> String? {
    try cell(column) { (type, bytes) in
      switch type {
      case .json: BinaryReader.text(bytes)
      case .jsonb: BinaryReader.jsonb(bytes)
      default: nil
      }
    }
  }

  /// bytea.
  public func bytes(_ column: Int) throws(PostgresError) -> [UInt8] { try required(column, bytesOrNil(column)) }

  /// bytea; nil for NULL.
  public func bytesOrNil(_ column: Int) throws(PostgresError) -> [UInt8]? {
    try cell(column) { (type, bytes) in type == .bytea ? [UInt8](bytes) : nil }
  }

  /// uuid.
  public func uuid(_ column: Int) throws(PostgresError) -> UUID { try required(column, uuidOrNil(column)) }

  /// uuid; nil for NULL.
  public func uuidOrNil(_ column: Int) throws(PostgresError) -> UUID? {
    try cell(column) { (type, bytes) in type == .uuid ? BinaryReader.uuid(bytes) : nil }
  }

  /// timestamptz or timestamp (taken as UTC), in microseconds since 1970-01-01 00:00 UTC; infinities are refused.
  public func timestamp(_ column: Int) throws(PostgresError) -> Int64 { try required(column, timestampOrNil(column)) }

  /// timestamptz or timestamp (taken as UTC), in microseconds since 1970-01-01 00:00 UTC; nil for NULL.
  public func timestampOrNil(_ column: Int) throws(PostgresError) -> Int64? {
    try cell(column) { (type, bytes) in
      type == .timestamptz || type == .timestamp
        ? BinaryReader.integer(Int64.self, bytes).flatMap(PostgresEpoch.unixTime(fromPostgres:)) : nil
    }
  }

  /// Lends the column's bytes in PostgreSQL's binary format, of any type; nil for NULL.
  /// They must not outlive `body`.
  public func withRawBytes<Value>(
    _ column: Int, _ body: (UnsafeRawBufferPointer?) throws -> Value
  ) throws -> Value {
    let column = try checked(column)
    return try withExtendedLifetime(result) { try body(raw(column)) }
  }
}

extension Row {
  /// Reads one cell: nil for NULL, an error where `read` finds that the cell is something else.
  @inline(__always)
  func cell<Value>(
    _ column: Int, _ read: (PostgresType, UnsafeRawBufferPointer) -> Value?
  ) throws(PostgresError) -> Value? {
    let number = try checked(column)
    guard let bytes = raw(number) else { return nil }
    let type = PostgresType(rawValue: PQftype(result.raw, number))
    guard let value = withExtendedLifetime(result, { read(type, bytes) }) else {
      throw mismatch(number, "is \(type) and cannot be read as \(Value.self)")
    }
    return value
  }

  func required<Value>(_ column: Int, _ value: Value?) throws(PostgresError) -> Value {
    guard let value else { throw mismatch(Int32(clamping: column), "is NULL where a value is needed") }
    return value
  }

  private func checked(_ column: Int) throws(PostgresError) -> Int32 {
    guard let number = Int32(exactly: column), number >= 0, number < PQnfields(result.raw) else {
      throw PostgresError(.decoding, "column \(column) is not in a result of \(columnCount) columns")
    }
    return number
  }

  /// The cell's bytes, valid as long as the result; nil for NULL.
  private func raw(_ column: Int32) -> UnsafeRawBufferPointer? {
    guard PQgetisnull(result.raw, index, column) == 0, let value = PQgetvalue(result.raw, index, column) else {
      return nil
    }
    return UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result.raw, index, column)))
  }

  private func mismatch(_ column: Int32, _ what: String) -> PostgresError {
    let name = PQfname(result.raw, column).map { String(cString: $0) } ?? "?"
    return PostgresError(.decoding, "column \(column) \"\(name)\" \(what)")
  }
}
