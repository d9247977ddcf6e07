/// The fields that accompany a call: an ordered list of keys and values; a key may occur more than once.
///
/// Keys are lower-case ASCII (`a-z 0-9 - _ .`); values are any bytes that are valid UTF-8.
public struct Metadata: Sendable, Hashable, ExpressibleByDictionaryLiteral {
  /// One field.
  public struct Field: Sendable, Hashable {
    /// The key, in lower case.
    public let key: String
    /// The value.
    public let value: String

    /// A field; the key is taken as it is.
    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// The trailer by which a server says when to try again, in milliseconds; a negative number says never.
  public static let retryAfter = "retry-after-ms"

  /// The fields in their order.
  public private(set) var fields: [Field]

  /// Metadata of these fields.
  public init(_ fields: [Field] = []) {
    self.fields = fields
  }

  /// Metadata of these keys and values.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.fields = elements.map { Field(key: $0.0, value: $0.1) }
  }

  /// Whether there is no field.
  public var isEmpty: Bool {
    fields.isEmpty
  }

  /// Appends a field.
  public mutating func append(key: String, value: String) {
    fields.append(Field(key: key, value: value))
  }

  /// The first value of a key.
  public subscript(key: String) -> String? {
    fields.first { $0.key == key }?.value
  }
}
