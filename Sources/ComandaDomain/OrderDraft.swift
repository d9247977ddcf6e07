/// An order as a client sent it: every field may be missing or wrong.
///
/// ``validated(now:defaults:limits:)`` turns it into a ``ValidatedOrder`` or says everything that is wrong with it.
/// Empty text means "not given" throughout, as in Protobuf.
public struct OrderDraft: Hashable, Sendable {
  /// The sender's own id of the order, unique within the business.
  public var externalID = ""
  /// When the customer placed the order; the moment of receipt when nil.
  public var placedAt: Timestamp?
  /// Who ordered.
  public var customer = Customer()
  /// How the order reaches the customer; pickup when nothing is said.
  public var fulfilment = Fulfilment.pickup
  /// The lines of the order.
  public var items: [ItemDraft] = []
  /// What the sender believes the order costs; the server computes it again.
  public var cost = CostDraft()
  /// The ISO 4217 code of every amount of the order.
  public var currency = ""
  /// How the customer pays.
  public var paymentMethod = Choice<PaymentMethod>.unspecified
  /// How the customer hears of the order.
  public var notificationChannel = Choice<NotificationChannel>.unspecified
  /// A remark on the whole order.
  public var note = ""

  /// An empty draft.
  public init() {}
}

/// Who ordered. Personal data: it appears in no error, log or metric.
public struct Customer: Hashable, Sendable {
  /// The customer's name.
  public var name: String
  /// A telephone number, as the customer wrote it.
  public var phone: String
  /// An e-mail address.
  public var email: String

  /// Makes a customer; what is not known stays empty.
  public init(name: String = "", phone: String = "", email: String = "") {
    self.name = name
    self.phone = phone
    self.email = email
  }
}

/// How an order reaches the customer.
public enum Fulfilment: Hashable, Sendable {
  /// The customer fetches it.
  case pickup
  /// It is brought to an address.
  case delivery(DeliveryAddress)
}

/// Where an order is brought.
public struct DeliveryAddress: Hashable, Sendable {
  /// The postal address in one text.
  public var address: String
  /// What the courier should know: which door, whom to ring.
  public var instructions: String

  /// Makes a delivery address.
  public init(address: String, instructions: String = "") {
    self.address = address
    self.instructions = instructions
  }
}

/// One line of an order, as a client sent it.
public struct ItemDraft: Hashable, Sendable {
  /// What was ordered.
  public var name = ""
  /// The business's article number.
  public var sku = ""
  /// How much of it.
  public var quantity = Quantity(thousandths: 0)
  /// The price of one, in minor units, where it is known.
  public var unitPrice: Int64?
  /// What the line costs, in minor units: authoritative, whatever unit price and quantity multiply to.
  public var total: Int64?
  /// A remark on the line, such as the toppings chosen.
  public var note = ""

  /// An empty line.
  public init() {}
}

/// The cost of an order as its sender gave it, in minor units of the order's currency.
public struct CostDraft: Hashable, Sendable {
  /// The sum of the lines.
  public var subtotal: Int64?
  /// The delivery fee; none when nil.
  public var delivery: Int64?
  /// What the customer pays.
  public var total: Int64?

  /// Nothing given.
  public init() {}
}

/// A value that a client chose from a list which may have grown since this server was built.
public enum Choice<Value: Hashable & Sendable>: Hashable, Sendable {
  /// Nothing was chosen; a default applies.
  case unspecified
  /// A value that this server knows.
  case value(Value)
  /// A number that this server does not know.
  case unknown(Int64)
}

/// How a customer pays.
public enum PaymentMethod: Int16, Hashable, Sendable, CaseIterable {
  /// A card: the default.
  case creditCard = 1
  /// Cash on delivery or at pickup.
  case cash = 2
}

/// How a customer hears of an order.
public enum NotificationChannel: Int16, Hashable, Sendable, CaseIterable {
  /// Not at all: the default.
  case none = 1
  /// A push message to the customer's devices.
  case push = 2
  /// An e-mail to the customer's address.
  case email = 3
  /// A text message to the customer's telephone.
  case sms = 4
}

/// What applies to an order where its sender says nothing.
public struct OrderDefaults: Hashable, Sendable {
  /// The currency of an order without one.
  public var currency: Currency
  /// The payment method of an order without one.
  public var paymentMethod: PaymentMethod
  /// The notification channel of an order without one.
  public var notificationChannel: NotificationChannel

  /// Makes defaults; the platform's own are yen, credit card, no notification.
  public init(
    currency: Currency = .jpy,
    paymentMethod: PaymentMethod = .creditCard,
    notificationChannel: NotificationChannel = .none
  ) {
    self.currency = currency
    self.paymentMethod = paymentMethod
    self.notificationChannel = notificationChannel
  }
}
