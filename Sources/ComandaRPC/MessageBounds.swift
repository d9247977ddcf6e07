/// What the fields of one request message may hold, by the schema.
///
/// Generated; ``check(_:)`` reads a serialized message against it before anything is decoded, so that a request which
/// breaks a bound costs no more than reading it: decoding two million empty messages out of four megabytes takes a second
/// and a gigabyte.
public struct MessageBounds: Sendable {
  /// The full name of the message, `comanda.v1.GetOrderRequest`.
  public let message: String
  /// Its fields.
  public let fields: [Field]

  /// Bounds of a message.
  public init(_ message: String, _ fields: [Field]) {
    self.message = message
    self.fields = fields
  }

  /// One field.
  public struct Field: Sendable {
    /// The field's number.
    public let number: UInt32
    /// How violations call it; empty for a message whose own validation starts its paths at itself.
    public let name: String
    /// What it may hold.
    public let kind: Kind
    /// Most entries of a repeated field; nil for a field that is not repeated.
    public let maxCount: Int?

    /// A field.
    public init(_ number: UInt32, _ name: String, _ kind: Kind, maxCount: Int? = nil) {
      self.number = number
      self.name = name
      self.kind = kind
      self.maxCount = maxCount
    }
  }

  /// What a field may hold.
  public indirect enum Kind: Sendable {
    /// A number of variable length.
    case varint
    /// A number of 32 bits.
    case fixed32
    /// A number of 64 bits.
    case fixed64
    /// A value of an enum: 0, or one of these numbers.
    case enumeration([(number: Int64, name: String)])
    /// A text of so many Unicode scalars; nil where whoever validates the message bounds it.
    case text(maxLength: Int?)
    /// So many bytes; nil as for a text.
    case bytes(maxLength: Int?)
    /// A `google.protobuf.Timestamp`, of the years 1970 to 9999.
    case timestamp
    /// A message.
    case message(MessageBounds)
  }
}
