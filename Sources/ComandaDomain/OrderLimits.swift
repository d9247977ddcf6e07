/// Every bound of an order, in one place. Lengths are counted in Unicode scalars.
public struct OrderLimits: Hashable, Sendable {
  /// Longest `external_id`. It is part of an index key, which PostgreSQL bounds at about 2,700 bytes.
  public var externalIDLength = 64
  /// Longest customer name.
  public var customerNameLength = 200
  /// Longest telephone number.
  public var phoneLength = 32
  /// Longest e-mail address (RFC 5321, 4.5.3.1.3: a path of 256 with its brackets).
  public var emailLength = 254
  /// Longest postal address.
  public var addressLength = 500
  /// Longest instructions for the courier.
  public var instructionsLength = 500
  /// Longest name of an item.
  public var itemNameLength = 300
  /// Longest article number.
  public var skuLength = 64
  /// Longest remark on a line; a choice of toppings can be long.
  public var itemNoteLength = 1_000
  /// Longest remark on an order.
  public var noteLength = 1_000
  /// Most lines of one order.
  public var itemCount = 500
  /// Largest quantity of one line, in thousandths.
  public var quantityThousandths: Int64 = 1_000_000_000
  /// Largest amount anywhere in an order, in minor units. With ``itemCount`` lines no sum can overflow.
  public var amountMinorUnits: Int64 = 1_000_000_000_000
  /// How far `placed_at` may lie ahead of the server's clock, in seconds.
  public var placedAheadSeconds: Int64 = 86_400
  /// How many violations of one order are reported; the rest shows once these are mended.
  public var reportedViolations = 20

  /// The platform's limits.
  public init() {}
}

/// What one payment transaction may carry. An order above the most is paid by several transactions.
public struct PaymentLimits: Hashable, Sendable {
  /// The least and the most of one transaction, in minor units.
  public let transaction: ClosedRange<Int64>

  /// Makes limits.
  public init(transaction: ClosedRange<Int64>) {
    self.transaction = transaction
  }

  /// What the payment gateways take in yen: 100 to 1,000,000.
  public static let jpy = PaymentLimits(transaction: 100...1_000_000)
}
