public import FoundationEssentials

/// A value for one `$n` of a statement, sent in binary with the type that its case names.
public enum Parameter: Sendable, Hashable {
  /// SQL's NULL; its type follows from the statement.
  case null
  /// bool
  case bool(Bool)
  /// int2 (smallint)
  case int2(Int16)
  /// int4 (integer)
  case int4(Int32)
  /// int8 (bigint)
  case int8(Int64)
  /// float8 (double precision)
  case float8(Double)
  /// text; a NUL character is refused by the server.
  case text(String)
  /// bytea
  case bytes([UInt8])
  /// uuid
  case uuid(UUID)
  /// timestamptz
  case timestamp(microsecondsSinceUnixEpoch: Int64)
  /// jsonb, as JSON text
  case json(String)
  /// bool[]
  case boolArray([Bool?])
  /// int2[]
  case int2Array([Int16?])
  /// int4[]
  case int4Array([Int32?])
  /// int8[]
  case int8Array([Int64?])
  /// float8[]
  case float8Array([Double?])
  /// text[]
  case textArray([String?])
  /// bytea[]
  case byteaArray([[UInt8]?])
  /// uuid[]
  case uuidArray([UUID?])
  /// timestamptz[], each in microseconds since 1970-01-01 00:00 UTC
  case timestampArray([Int64?])
  /// jsonb[], each as JSON text
  case jsonArray([String?])
}

extension Parameter {
  /// The type that the statement is prepared with; unspecified for NULL.
  var type: PostgresType {
    switch self {
    case .null: .unspecified
    case .bool: .bool
    case .int2: .int2
    case .int4: .int4
    case .int8: .int8
    case .float8: .float8
    case .text: .text
    case .bytes: .bytea
    case .uuid: .uuid
    case .timestamp: .timestamptz
    case .json: .jsonb
    case .boolArray: .boolArray
    case .int2Array: .int2Array
    case .int4Array: .int4Array
    case .int8Array: .int8Array
    case .float8Array: .float8Array
    case .textArray: .textArray
    case .byteaArray: .byteaArray
    case .uuidArray: .uuidArray
    case .timestampArray: .timestamptzArray
    case .jsonArray: .jsonbArray
    }
  }

  /// Writes the value's binary form. False: a time outside of what PostgreSQL's clock can hold.
  func write(to writer: inout BinaryWriter) -> Bool {
    switch self {
    case .null: break
    case .bool(let value): writer.append(value)
    case .int2(let value): writer.append(value)
    case .int4(let value): writer.append(value)
    case .int8(let value): writer.append(value)
    case .float8(let value): writer.append(value)
    case .text(let value): writer.append(value)
    case .bytes(let value): writer.append(value)
    case .uuid(let value): writer.append(value)
    case .timestamp(let microseconds):
      guard let value = PostgresEpoch.postgresTime(fromUnix: microseconds) else { return false }
      writer.append(value)
    case .json(let value): writer.appendJSONB(value)
    case .boolArray(let values): writer.appendArray(values, of: .bool) { $0.append($1) }
    case .int2Array(let values): writer.appendArray(values, of: .int2) { $0.append($1) }
    case .int4Array(let values): writer.appendArray(values, of: .int4) { $0.append($1) }
    case .int8Array(let values): writer.appendArray(values, of: .int8) { $0.append($1) }
    case .float8Array(let values): writer.appendArray(values, of: .float8) { $0.append($1) }
    case .textArray(let values): writer.appendArray(values, of: .text) { $0.append($1) }
    case .byteaArray(let values): writer.appendArray(values, of: .bytea) { $0.append($1) }
    case .uuidArray(let values): writer.appendArray(values, of: .uuid) { $0.append($1) }
    case .timestampArray(let values):
      var times: [Int64?] = []
      times.reserveCapacity(values.count)
      for value in values {
        guard let value else {
          times.append(nil)
          continue
        }
        guard let time = PostgresEpoch.postgresTime(fromUnix: value) else { return false }
        times.append(time)
      }
      writer.appendArray(times, of: .timestamptz) { $0.append($1) }
    case .jsonArray(let values): writer.appendArray(values, of: .jsonb) { $0.appendJSONB($1) }
    }
    return true
  }
}

extension PostgresEpoch {
  /// Nil outside of the range; PostgreSQL's infinities, the two extreme values, are no times either.
  static func postgresTime(fromUnix microseconds: Int64) -> Int64? {
    let (value, overflow) = microseconds.subtractingReportingOverflow(microsecondsAfterUnixEpoch)
    return overflow || value == .min || value == .max ? nil : value
  }

  /// Nil for PostgreSQL's infinities, and outside of the range.
  static func unixTime(fromPostgres microseconds: Int64) -> Int64? {
    guard microseconds != .min, microseconds != .max else { return nil }
    let (value, overflow) = microseconds.addingReportingOverflow(microsecondsAfterUnixEpoch)
    return overflow ? nil : value
  }
}
