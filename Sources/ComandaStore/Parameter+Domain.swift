import ComandaDomain
import ComandaPostgres
import FoundationEssentials

extension Parameter {
  static func id<Kind>(_ id: Identifier<Kind>) -> Parameter { .uuid(id.uuid) }

  static func time(_ time: Timestamp) -> Parameter { .timestamp(microsecondsSinceUnixEpoch: time.microseconds) }

  static func digest(_ digest: SHA256Digest) -> Parameter { .bytes(digest.bytes) }

  static func orNull<Value>(_ value: Value?, _ parameter: (Value) -> Parameter) -> Parameter {
    value.map(parameter) ?? .null
  }
}

extension Row {
  func id<Kind>(_ column: Int, _ kind: Identifier<Kind>.Type = Identifier<Kind>.self) throws -> Identifier<Kind> {
    Identifier(try uuid(column))
  }

  func idOrNil<Kind>(_ column: Int) throws -> Identifier<Kind>? {
    try uuidOrNil(column).map(Identifier.init)
  }

  func time(_ column: Int) throws -> Timestamp { Timestamp(microseconds: try timestamp(column)) }

  func timeOrNil(_ column: Int) throws -> Timestamp? {
    try timestampOrNil(column).map(Timestamp.init(microseconds:))
  }

  func digest(_ column: Int) throws -> SHA256Digest { try known(SHA256Digest(bytes(column))) }

  func digestOrNil(_ column: Int) throws -> SHA256Digest? {
    try bytesOrNil(column).map { try known(SHA256Digest($0)) }
  }

  /// An enum that is stored as its number.
  func value<Value: RawRepresentable<Int16>>(_ column: Int, _ type: Value.Type = Value.self) throws -> Value {
    try known(Value(rawValue: int16(column)))
  }

  func currency(_ column: Int) throws -> Currency { try known(Currency(code: text(column))) }
}

/// What the database holds, provided this program knows it: another version may have stored it.
func known<Value>(_ value: Value?) throws -> Value {
  guard let value else { throw UnknownStoredValue() }
  return value
}

/// The database holds a value that this program does not know.
struct UnknownStoredValue: Error {}
