/// What a column of a file can mean. The raw value is its name in `--columns` and in messages.
public enum ImportField: String, Sendable, CaseIterable, Hashable {
  /// The order's number; consecutive lines that share it are one order.
  case externalID = "external_id"
  /// When the order was placed.
  case placedAt = "placed_at"
  /// The customer's name.
  case customerName = "customer.name"
  /// The customer's telephone number.
  case customerPhone = "customer.phone"
  /// The customer's email address.
  case customerEmail = "customer.email"
  /// `delivery` or `pickup`.
  case fulfilment
  /// Where to deliver.
  case deliveryAddress = "delivery.address"
  /// What the delivery costs.
  case deliveryFee = "delivery.fee"
  /// The ISO 4217 code of all amounts of the order.
  case currency
  /// The sum of the items.
  case orderSubtotal = "order.subtotal"
  /// The sum of items and delivery.
  case orderTotal = "order.total"
  /// How the order is paid.
  case paymentMethod = "payment.method"
  /// `push`, `email`, `sms` or `none`.
  case notificationChannel = "notification.channel"
  /// Whom to notify, if not the customer.
  case notificationRecipient = "notification.recipient"
  /// A remark on the whole order.
  case note
  /// The item's name.
  case itemName = "item.name"
  /// The item's stock keeping unit.
  case itemSKU = "item.sku"
  /// How many, or how much, of the item.
  case itemQuantity = "item.quantity"
  /// The price of one.
  case itemUnitPrice = "item.unit_price"
  /// The price of the line.
  case itemTotal = "item.total"
  /// A remark on the item.
  case itemNote = "item.note"

  /// Whether each line has its own value; otherwise all lines of an order share one.
  public var isPerItem: Bool { rawValue.hasPrefix("item.") }
}
