public import FoundationEssentials

/// The id of one kind of thing: a UUID that cannot be mistaken for the id of another kind.
///
/// New ids are version 7 (RFC 9562): they sort by the time they were made, so that an index grows at its right edge.
public struct Identifier<Kind>: Hashable, Sendable, Comparable {
  /// The bare UUID.
  public let uuid: UUID

  /// Takes a UUID as the id of this kind.
  public init(_ uuid: UUID) {
    self.uuid = uuid
  }

  /// Reads the usual 36-character form; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 36, let uuid = UUID(uuidString: String(text)) else { return nil }
    self.uuid = uuid
  }

  /// Makes a new id for a thing that comes to be at `time`.
  public static func make(at time: Timestamp, using random: inout some RandomNumberGenerator) -> Self {
    Self(UUID.version7(at: time, using: &random))
  }

  /// Byte order, which for ids of version 7 is the order in time.
  public static func < (left: Self, right: Self) -> Bool {
    left.uuid < right.uuid
  }
}

extension Identifier: CustomStringConvertible {
  /// The UUID in lower case with hyphens.
  public var description: String { uuid.uuidString.lowercased() }
}

/// The id of an ``Order``.
public typealias OrderID = Identifier<Order>
/// The id of a ``Business``, a tenant of the platform.
public typealias BusinessID = Identifier<Business>
/// The id of an ``Import``.
public typealias ImportID = Identifier<Import>
/// The id of an ``AccessToken``; also who did something, in histories and audit records.
public typealias TokenID = Identifier<AccessToken>

extension BusinessID {
  /// Stands for the platform itself in audit records of what belongs to no business: the nil UUID.
  public static let platform = BusinessID(UUID(high: 0, low: 0))
}

extension UUID {
  /// A UUID of version 7 (RFC 9562, 5.7): 48 bits of milliseconds, 12 bits of the fraction of the millisecond
  /// (method 3 of section 6.2), 62 random bits. Moments before 1970 count as 1970.
  public static func version7(at time: Timestamp, using random: inout some RandomNumberGenerator) -> UUID {
    let microseconds = UInt64(clamping: time.microseconds)
    let milliseconds = microseconds / 1_000
    let fraction = (microseconds % 1_000) * 4_096 / 1_000  // bounded: a remainder below 1,000
    let high = milliseconds << 16 | 0x7000 | fraction
    let low = random.next() >> 2 | 1 << 63
    return UUID(high: high, low: low)
  }

  /// A UUID from its two halves, big-endian as in its textual form.
  public init(high: UInt64, low: UInt64) {
    var words = (high.bigEndian, low.bigEndian)
    self = withUnsafeBytes(of: &words) { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }
}
