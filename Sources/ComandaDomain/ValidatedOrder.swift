/// An order whose every field was found right and whose cost the server computed.
///
/// It comes from ``OrderDraft/validated(now:defaults:limits:)`` or, with the same guarantee, out of a store; whoever
/// holds one need not check again. Empty text means "not given".
public struct ValidatedOrder: Hashable, Sendable {
  /// The sender's own id of the order, unique within the business.
  public let externalID: String
  /// When the customer placed the order.
  public let placedAt: Timestamp
  /// Who ordered.
  public let customer: Customer
  /// How the order reaches the customer.
  public let fulfilment: Fulfilment
  /// The lines, at least one.
  public let items: [OrderItem]
  /// What the order costs.
  public let cost: OrderCost
  /// How the customer pays.
  public let paymentMethod: PaymentMethod
  /// How the customer hears of the order.
  public let notificationChannel: NotificationChannel
  /// A remark on the whole order.
  public let note: String

  /// Takes an order back from a store, which was given nothing but validated ones.
  public init(
    stored externalID: String, placedAt: Timestamp, customer: Customer, fulfilment: Fulfilment, items: [OrderItem],
    cost: OrderCost, paymentMethod: PaymentMethod, notificationChannel: NotificationChannel, note: String
  ) {
    self.externalID = externalID
    self.placedAt = placedAt
    self.customer = customer
    self.fulfilment = fulfilment
    self.items = items
    self.cost = cost
    self.paymentMethod = paymentMethod
    self.notificationChannel = notificationChannel
    self.note = note
  }
}

/// One line of an order.
public struct OrderItem: Hashable, Sendable {
  /// What was ordered.
  public let name: String
  /// The business's article number.
  public let sku: String
  /// How much of it; above zero.
  public let quantity: Quantity
  /// The price of one in minor units, where it is known.
  public let unitPrice: Int64?
  /// What the line costs in minor units; not negative.
  public let total: Int64
  /// A remark on the line.
  public let note: String

  /// Makes a line as it was stored.
  public init(name: String, sku: String, quantity: Quantity, unitPrice: Int64?, total: Int64, note: String) {
    self.name = name
    self.sku = sku
    self.quantity = quantity
    self.unitPrice = unitPrice
    self.total = total
    self.note = note
  }
}

/// What an order costs: minor units of one currency, with `total == subtotal + delivery`.
public struct OrderCost: Hashable, Sendable {
  /// What every amount of the order is counted in.
  public let currency: Currency
  /// The sum of the lines.
  public let subtotal: Int64
  /// The delivery fee.
  public let delivery: Int64
  /// What the customer pays.
  public let total: Int64

  /// Makes a cost as it was stored.
  public init(currency: Currency, subtotal: Int64, delivery: Int64, total: Int64) {
    self.currency = currency
    self.subtotal = subtotal
    self.delivery = delivery
    self.total = total
  }
}
