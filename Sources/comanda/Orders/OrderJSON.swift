import ComandaProtos
import SwiftProtobuf

/// An order in JSON, as `orders get --json` prints it and as `orders create --json-file` takes it. The names are those
/// of the schema.
struct OrderJSON: Codable {
  var orderID: String?
  var externalID: String
  var status: String?
  var placedAt: String?
  var customer: Customer?
  var delivery: Delivery?
  var items: [Item]
  var cost: Cost?
  var currency: String?
  var paymentMethod: String?
  var notificationChannel: String?
  var note: String?
  var etag: String?
  var createdAt: String?
  var updatedAt: String?
  var source: Source?

  enum CodingKeys: String, CodingKey {
    case orderID = "order_id"
    case externalID = "external_id"
    case status
    case placedAt = "placed_at"
    case customer, delivery, items, cost, currency
    case paymentMethod = "payment_method"
    case notificationChannel = "notification_channel"
    case note, etag
    case createdAt = "created_at"
    case updatedAt = "updated_at"
    case source
  }

  struct Customer: Codable {
    var name: String?
    var phone: String?
    var email: String?
  }

  struct Delivery: Codable {
    var address: String
    var instructions: String?
  }

  struct Item: Codable {
    var name: String
    var sku: String?
    var quantityThousandths: Int64
    var unitPriceMinor: Int64?
    var totalMinor: Int64
    var note: String?

    enum CodingKeys: String, CodingKey {
      case name, sku, note
      case quantityThousandths = "quantity_thousandths"
      case unitPriceMinor = "unit_price_minor"
      case totalMinor = "total_minor"
    }
  }

  struct Cost: Codable {
    var subtotalMinor: Int64?
    var deliveryMinor: Int64?
    var totalMinor: Int64?

    enum CodingKeys: String, CodingKey {
      case subtotalMinor = "subtotal_minor"
      case deliveryMinor = "delivery_minor"
      case totalMinor = "total_minor"
    }
  }

  struct Source: Codable {
    var importID: String
    var row: Int64

    enum CodingKeys: String, CodingKey {
      case importID = "import_id"
      case row
    }
  }
}

extension OrderJSON {
  init(_ order: Comanda_V1_Order) {
    orderID = order.orderID
    externalID = order.externalID
    status = order.status.schemaName
    placedAt = TimeText.json(order.placedAt)
    if order.hasCustomer {
      customer = Customer(
        name: order.customer.name.orNil, phone: order.customer.phone.orNil, email: order.customer.email.orNil)
    }
    if case .delivery(let place) = order.fulfilment {
      delivery = Delivery(address: place.address, instructions: place.instructions.orNil)
    }
    items = order.items.map(Item.init)
    cost = Cost(
      subtotalMinor: order.cost.subtotalMinor, deliveryMinor: order.cost.deliveryMinor,
      totalMinor: order.cost.totalMinor)
    currency = order.currency
    paymentMethod = order.paymentMethod.schemaName
    notificationChannel = order.notificationChannel.schemaName
    note = order.note.orNil
    etag = order.etag
    createdAt = TimeText.json(order.createdAt)
    updatedAt = TimeText.json(order.updatedAt)
    source = order.hasSource ? Source(importID: order.source.importID, row: order.source.row) : nil
  }

  /// The order to create that this describes; what only the server says is left out.
  func draft() throws(CommandFailure) -> Comanda_V1_OrderDraft {
    var draft = Comanda_V1_OrderDraft()
    draft.externalID = externalID
    if let placedAt {
      guard let moment = Moment(argument: placedAt) else { throw Self.unknown(placedAt, of: "placed_at") }
      draft.placedAt = moment.timestamp
    }
    if let customer {
      draft.customer.name = customer.name ?? ""
      draft.customer.phone = customer.phone ?? ""
      draft.customer.email = customer.email ?? ""
    }
    if let delivery {
      draft.delivery.address = delivery.address
      draft.delivery.instructions = delivery.instructions ?? ""
    }
    draft.items = items.map(Comanda_V1_OrderItem.init)
    if let subtotal = cost?.subtotalMinor { draft.cost.subtotalMinor = subtotal }
    if let delivery = cost?.deliveryMinor { draft.cost.deliveryMinor = delivery }
    if let total = cost?.totalMinor { draft.cost.totalMinor = total }
    draft.currency = currency ?? ""
    draft.paymentMethod = try Self.value(paymentMethod, of: "payment_method", else: .unspecified)
    draft.notificationChannel = try Self.value(notificationChannel, of: "notification_channel", else: .unspecified)
    draft.note = note ?? ""
    return draft
  }

  private static func value<Value: SchemaNamed>(
    _ name: String?, of field: String, else absent: Value
  ) throws(CommandFailure) -> Value {
    guard let name else { return absent }
    guard let value = Value(schemaName: name) else { throw unknown(name, of: field) }
    return value
  }

  private static func unknown(_ text: String, of field: String) -> CommandFailure {
    CommandFailure("\(field) cannot be \"\(text)\"", status: .usage)
  }
}

extension OrderJSON.Item {
  fileprivate init(_ item: Comanda_V1_OrderItem) {
    name = item.name
    sku = item.sku.orNil
    quantityThousandths = item.quantityThousandths
    if case .unitPriceMinor(let price) = item.unitPrice { unitPriceMinor = price }
    totalMinor = item.totalMinor
    note = item.note.orNil
  }
}

extension Comanda_V1_OrderItem {
  fileprivate init(_ item: OrderJSON.Item) {
    self.init()
    name = item.name
    sku = item.sku ?? ""
    quantityThousandths = item.quantityThousandths
    if let price = item.unitPriceMinor { unitPriceMinor = price }
    totalMinor = item.totalMinor
    note = item.note ?? ""
  }
}

extension String {
  /// Nil for a text that says nothing.
  fileprivate var orNil: String? { isEmpty ? nil : self }
}
