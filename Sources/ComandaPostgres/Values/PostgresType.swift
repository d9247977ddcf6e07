/// A PostgreSQL type by its object id: the built-in ones have had these numbers for ever (`pg_type.dat`).
struct PostgresType: RawRepresentable, Hashable, Sendable {
  let rawValue: UInt32

  static let unspecified = PostgresType(rawValue: 0)
  static let bool = PostgresType(rawValue: 16)
  static let bytea = PostgresType(rawValue: 17)
  static let char = PostgresType(rawValue: 18)
  static let name = PostgresType(rawValue: 19)
  static let int8 = PostgresType(rawValue: 20)
  static let int2 = PostgresType(rawValue: 21)
  static let int4 = PostgresType(rawValue: 23)
  static let text = PostgresType(rawValue: 25)
  static let oid = PostgresType(rawValue: 26)
  static let json = PostgresType(rawValue: 114)
  static let float4 = PostgresType(rawValue: 700)
  static let float8 = PostgresType(rawValue: 701)
  static let bpchar = PostgresType(rawValue: 1042)
  static let varchar = PostgresType(rawValue: 1043)
  static let timestamp = PostgresType(rawValue: 1114)
  static let timestamptz = PostgresType(rawValue: 1184)
  static let numeric = PostgresType(rawValue: 1700)
  static let uuid = PostgresType(rawValue: 2950)
  static let jsonb = PostgresType(rawValue: 3802)

  static let boolArray = PostgresType(rawValue: 1000)
  static let byteaArray = PostgresType(rawValue: 1001)
  static let int2Array = PostgresType(rawValue: 1005)
  static let int4Array = PostgresType(rawValue: 1007)
  static let textArray = PostgresType(rawValue: 1009)
  static let int8Array = PostgresType(rawValue: 1016)
  static let float8Array = PostgresType(rawValue: 1022)
  static let timestamptzArray = PostgresType(rawValue: 1185)
  static let uuidArray = PostgresType(rawValue: 2951)
  static let jsonbArray = PostgresType(rawValue: 3807)
}

extension PostgresType: CustomStringConvertible {
  var description: String {
    Self.names[self] ?? "type \(rawValue)"
  }

  private static let names: [PostgresType: String] = [
    .bool: "bool", .bytea: "bytea", .char: "\"char\"", .name: "name", .int8: "int8", .int2: "int2", .int4: "int4",
    .text: "text", .oid: "oid", .json: "json", .float4: "float4", .float8: "float8", .bpchar: "char(n)",
    .varchar: "varchar", .timestamp: "timestamp", .timestamptz: "timestamptz", .numeric: "numeric", .uuid: "uuid",
    .jsonb: "jsonb", .boolArray: "bool[]", .byteaArray: "bytea[]", .int2Array: "int2[]", .int4Array: "int4[]",
    .textArray: "text[]", .int8Array: "int8[]", .float8Array: "float8[]", .timestamptzArray: "timestamptz[]",
    .uuidArray: "uuid[]", .jsonbArray: "jsonb[]",
  ]
}

extension PostgresType {
  /// Types whose binary form is the text's own bytes.
  var isTextual: Bool {
    switch self {
    case .text, .varchar, .bpchar, .name, .json: true
    default: false
    }
  }
}

/// PostgreSQL counts microseconds from 2000-01-01 00:00 UTC, everyone else from 1970-01-01.
enum PostgresEpoch {
  static let microsecondsAfterUnixEpoch: Int64 = 946_684_800_000_000
}

extension PostgresType {
  /// Ids from 16384 on are made by users: enums, whose binary form is their label, among them.
  var isUserDefined: Bool { rawValue >= 16_384 }
}
