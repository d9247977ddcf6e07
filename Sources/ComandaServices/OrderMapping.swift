import ComandaDomain
import ComandaProtos
import SwiftProtobuf

extension OrderDraft {
  /// The draft of a request, nothing checked.
  init(_ draft: Comanda_V1_OrderDraft) {
    self.init()
    externalID = draft.externalID
    if draft.hasPlacedAt { placedAt = Timestamp(draft.placedAt) ?? .unrepresentable }
    customer = Customer(name: draft.customer.name, phone: draft.customer.phone, email: draft.customer.email)
    if case .delivery(let delivery) = draft.fulfilment {
      fulfilment = .delivery(DeliveryAddress(address: delivery.address, instructions: delivery.instructions))
    }
    items = draft.items.map(ItemDraft.init)
    if case .subtotalMinor(let amount) = draft.cost.subtotal { cost.subtotal = amount }
    if case .deliveryMinor(let amount) = draft.cost.delivery { cost.delivery = amount }
    if case .totalMinor(let amount) = draft.cost.total { cost.total = amount }
    currency = draft.currency
    paymentMethod = Choice(schemaNumber: draft.paymentMethod.rawValue)
    notificationChannel = Choice(schemaNumber: draft.notificationChannel.rawValue)
    note = draft.note
  }
}

extension ItemDraft {
  init(_ item: Comanda_V1_OrderItem) {
    self.init()
    name = item.name
    sku = item.sku
    quantity = Quantity(thousandths: item.quantityThousandths)
    if case .unitPriceMinor(let amount) = item.unitPrice { unitPrice = amount }
    if case .totalMinor(let amount) = item.total { total = amount }
    note = item.note
  }
}

extension Choice where Value: RawRepresentable, Value.RawValue == Int16 {
  /// The value of an enum's number in the schema, 0 for none.
  init(schemaNumber number: Int) {
    if number == 0 {
      self = .unspecified
    } else if let value = Int16(exactly: number).flatMap(Value.init(rawValue:)) {
      self = .value(value)
    } else {
      self = .unknown(Int64(clamping: number))
    }
  }
}

extension Timestamp {
  /// Nil for a moment that cannot be represented.
  init?(_ timestamp: Google_Protobuf_Timestamp) {
    self.init(seconds: timestamp.seconds, nanoseconds: timestamp.nanos)
  }

  /// The moment of a request's field.
  /// - Throws: `DomainError` naming the field when the moment cannot be represented.
  init(_ timestamp: Google_Protobuf_Timestamp, _ field: String) throws {
    guard let moment = Timestamp(timestamp) else {
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: field, problem: .malformed(expected: "a moment of the years 1970 to 9999"))
      ])
    }
    self = moment
  }
}

extension OrderStatus {
  /// The status of exactly this number in the schema; nil for 0 and for what the schema does not have.
  init?(schemaNumber number: Int) {
    guard let number = Int16(exactly: number) else { return nil }
    self.init(rawValue: number)
  }
}

extension Google_Protobuf_Timestamp {
  init(_ timestamp: Timestamp) {
    self.init(seconds: timestamp.seconds, nanos: timestamp.nanoseconds)
  }
}

extension Comanda_V1_Order {
  init(_ order: Order) {
    self.init()
    let content = order.content
    orderID = order.id.description
    externalID = content.externalID
    placedAt = Google_Protobuf_Timestamp(content.placedAt)
    if content.customer != Customer() {
      customer = .with {
        $0.name = content.customer.name
        $0.phone = content.customer.phone
        $0.email = content.customer.email
      }
    }
    switch content.fulfilment {
    case .pickup: fulfilment = .pickup(Comanda_V1_Pickup())
    case .delivery(let place):
      delivery = .with {
        $0.address = place.address
        $0.instructions = place.instructions
      }
    }
    items = content.items.map(Comanda_V1_OrderItem.init)
    cost = .with {
      $0.subtotalMinor = content.cost.subtotal
      $0.deliveryMinor = content.cost.delivery
      $0.totalMinor = content.cost.total
    }
    currency = content.cost.currency.code
    paymentMethod = Comanda_V1_PaymentMethod(rawValue: Int(content.paymentMethod.rawValue)) ?? .unspecified
    notificationChannel =
      Comanda_V1_NotificationChannel(rawValue: Int(content.notificationChannel.rawValue)) ?? .unspecified
    note = content.note
    status = Comanda_V1_OrderStatus(order.status)
    etag = String(order.revision)
    createdAt = Google_Protobuf_Timestamp(order.createdAt)
    updatedAt = Google_Protobuf_Timestamp(order.updatedAt)
    if let origin = order.origin {
      source = .with {
        $0.importID = origin.importID.description
        $0.row = origin.row
      }
    }
  }
}

extension Comanda_V1_OrderItem {
  init(_ item: OrderItem) {
    self.init()
    name = item.name
    sku = item.sku
    quantityThousandths = item.quantity.thousandths
    if let price = item.unitPrice { unitPriceMinor = price }
    totalMinor = item.total
    note = item.note
  }
}

extension Comanda_V1_OrderStatus {
  init(_ status: OrderStatus) {
    self = Comanda_V1_OrderStatus(rawValue: Int(status.rawValue)) ?? .unspecified
  }
}

extension Comanda_V1_OrderEvent {
  init(_ event: OrderEvent) {
    self.init()
    sequence = event.sequence
    orderID = event.orderID.description
    if let from = event.from { previousStatus = Comanda_V1_OrderStatus(from) }
    status = Comanda_V1_OrderStatus(event.to)
    happenedAt = Google_Protobuf_Timestamp(event.at)
    actor = event.actor.description
    reason = event.reason
    etag = String(event.revision)
  }
}

extension OrderFilter {
  /// The filter of a request.
  /// - Throws: `DomainError` naming the field at fault.
  init(_ filter: Comanda_V1_OrderFilter) throws {
    self.init()
    importID = try filter.importID.isEmpty ? nil : ImportID(filter.importID, field: "filter.import_id")
    customerPrefix = try Self.condition(filter.customer, "filter.customer", 1...200)
    text = try Self.condition(filter.text, "filter.text", 3...200)
    statuses = try Set(
      filter.statuses.enumerated().map { index, status in
        guard let known = OrderStatus(schemaNumber: status.rawValue) else {
          throw DomainError.invalid([
            ComandaDomain.FieldViolation(
              field: "filter.statuses[\(index)]",
              problem: .unknownValue(given: "\(status)", allowed: OrderStatus.allCases.map(\.schemaName)))
          ])
        }
        return known
      })
    placedFrom = try filter.placedAt.hasStartAt ? Timestamp(filter.placedAt.startAt, "filter.placed_at.start_at") : nil
    placedBefore = try filter.placedAt.hasEndAt ? Timestamp(filter.placedAt.endAt, "filter.placed_at.end_at") : nil
    if let placedFrom, let placedBefore, placedBefore < placedFrom {
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: "filter.placed_at.end_at",
          problem: .contradiction(explanation: "is before filter.placed_at.start_at; no moment lies between them"))
      ])
    }
  }

  /// A text to look for; empty for no condition.
  private static func condition(_ text: String, _ field: String, _ lengths: ClosedRange<Int>) throws -> String {
    let length = text.unicodeScalars.count
    guard length == 0 || lengths.contains(length) else {
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: field,
          problem: .outOfRange(
            value: "\(length) characters", allowed: "\(lengths.lowerBound) to \(lengths.upperBound) characters"))
      ])
    }
    return text
  }
}

extension Comanda_V1_OrderStatistics {
  init(_ statistics: OrderStatistics) {
    self.init()
    orders = statistics.orders
    items = statistics.items
    byStatus = statistics.byStatus.sorted { $0.key.rawValue < $1.key.rawValue }.map { status, count in
      .with {
        $0.status = Comanda_V1_OrderStatus(status)
        $0.orders = count
      }
    }
    totals = statistics.totals.sorted { $0.key.code < $1.key.code }.map { currency, amount in
      .with {
        $0.currency = currency.code
        $0.minorUnits = amount
      }
    }
  }
}
