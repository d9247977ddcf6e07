/// One row of an import: the lines of one order, or one line that belongs to no order.
public struct FileRow: Sendable, Hashable {
  /// What became of the lines.
  public enum Content: Sendable, Hashable {
    /// An order. Whether its values make sense is for the server to say.
    case order(FileOrder)
    /// Something in the lines cannot be read; at most ``RowLimits/errors`` reasons, in the order of the lines.
    case rejected([CellError])
  }

  /// The row's place among the rows of the file, from 1.
  public let number: Int
  /// The order's external id, or nil if it could not be read.
  public let externalID: String?
  /// The lines that the row was made from, as far as the limits allow, in order.
  public let lines: [SourceLine]
  /// What became of the lines.
  public let content: Content
}

/// A record of the file, as it stands there.
public struct SourceLine: Sendable, Hashable {
  /// The number of its first line in the file, from 1.
  public let number: Int
  /// The number of its last line; greater than `number` if a quoted cell holds line breaks.
  public let lastNumber: Int
  /// The bytes without the line end, which need not be UTF-8.
  public let bytes: [UInt8]
  /// Whether `bytes` is only the beginning.
  public let isCut: Bool

  /// The line with at most so many of its bytes.
  public func cut(to limit: Int) -> SourceLine {
    guard bytes.count > limit else { return self }
    return SourceLine(number: number, lastNumber: lastNumber, bytes: Array(bytes.prefix(limit)), isCut: true)
  }
}

extension SourceLine {
  init(_ record: DelimitedRecord) {
    self.init(
      number: record.firstLine, lastNumber: record.lastLine, bytes: record.bytes, isCut: record.droppedBytes > 0)
  }
}

/// An order as a file describes it. Texts have no blanks at their ends; nil and empty mean that nothing is said.
public struct FileOrder: Sendable, Hashable {
  /// How the order reaches the customer.
  public enum Fulfilment: String, Sendable, CaseIterable {
    /// It is brought.
    case delivery
    /// It is fetched.
    case pickup
  }

  /// How the order is paid.
  public enum PaymentMethod: String, Sendable, CaseIterable {
    /// By card, through a payment gateway.
    case creditCard = "credit_card"
    /// In cash, on delivery or at the counter.
    case cash
  }

  /// How somebody is told about the order.
  public enum NotificationChannel: String, Sendable, CaseIterable {
    /// To the customer's app.
    case push
    /// By email.
    case email
    /// By text message.
    case sms
    /// Not at all.
    case none
  }

  /// The order's number in the system that it comes from.
  public var externalID = ""
  /// When it was placed, in microseconds since 1970-01-01T00:00:00Z.
  public var placedAt: Int64?
  /// The customer's name.
  public var customerName = ""
  /// The customer's telephone number.
  public var customerPhone = ""
  /// The customer's email address.
  public var customerEmail = ""
  /// How it reaches the customer: as the file says, or else delivery if there is an address or a fee.
  public var fulfilment = Fulfilment.pickup
  /// Where to deliver.
  public var deliveryAddress = ""
  /// The currency of all amounts, which are in its minor units.
  public var currency = CurrencyUnit.yen
  /// What the delivery costs.
  public var deliveryFee: Int64?
  /// The sum of the items.
  public var subtotal: Int64?
  /// The sum of items and delivery.
  public var total: Int64?
  /// How it is paid.
  public var paymentMethod: PaymentMethod?
  /// How somebody is told about it.
  public var notificationChannel: NotificationChannel?
  /// Whom to notify, if not the customer.
  public var notificationRecipient = ""
  /// A remark on the whole order.
  public var note = ""
  /// The items, in the order of their lines.
  public var items: [FileItem] = []

  /// An order that says nothing.
  public init() {}
}

/// One item of an order.
public struct FileItem: Sendable, Hashable {
  /// The item's name.
  public var name = ""
  /// The item's stock keeping unit.
  public var sku = ""
  /// How many, in thousandths.
  public var quantity: Int64 = 0
  /// The price of one, in minor units.
  public var unitPrice: Int64?
  /// The price of the line, in minor units: as the file says, or else quantity times unit price.
  public var total: Int64 = 0
  /// A remark on the item.
  public var note = ""

  /// An item that says nothing.
  public init() {}
}
