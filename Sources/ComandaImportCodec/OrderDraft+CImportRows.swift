import CImportRows
import ComandaDomain

extension OrderDraft {
  /// Copies an unpacked order, whose texts passed the check.
  init(_ order: UnsafePointer<Comanda__V1__OrderDraft>) {
    self.init()
    externalID = String(field: order.pointee.external_id)
    placedAt = order.pointee.placed_at.map { Timestamp(wire: $0.pointee) }
    if let customer = order.pointee.customer { self.customer = Customer(customer.pointee) }
    if order.pointee.fulfilment_case == COMANDA__V1__ORDER_DRAFT__FULFILMENT_DELIVERY,
      let delivery = order.pointee.delivery
    {
      fulfilment = .delivery(DeliveryAddress(delivery.pointee))
    }
    items.reserveCapacity(order.pointee.n_items)
    for index in 0..<order.pointee.n_items {
      guard let item = order.pointee.items[index] else { continue }
      items.append(ItemDraft(item))
    }
    if let cost = order.pointee.cost { self.cost = CostDraft(cost.pointee) }
    currency = String(field: order.pointee.currency)
    paymentMethod = Choice(wire: order.pointee.payment_method.rawValue)
    notificationChannel = Choice(wire: order.pointee.notification_channel.rawValue)
    note = String(field: order.pointee.note)
  }
}

extension Customer {
  fileprivate init(_ customer: Comanda__V1__Customer) {
    self.init(
      name: String(field: customer.name), phone: String(field: customer.phone), email: String(field: customer.email))
  }
}

extension DeliveryAddress {
  fileprivate init(_ delivery: Comanda__V1__Delivery) {
    self.init(address: String(field: delivery.address), instructions: String(field: delivery.instructions))
  }
}

extension ItemDraft {
  fileprivate init(_ item: UnsafePointer<Comanda__V1__OrderItem>) {
    self.init()
    name = String(field: item.pointee.name)
    sku = String(field: item.pointee.sku)
    quantity = Quantity(thousandths: item.pointee.quantity_thousandths)
    if item.pointee.unit_price_case == COMANDA__V1__ORDER_ITEM__UNIT_PRICE_UNIT_PRICE_MINOR {
      unitPrice = item.pointee.unit_price_minor
    }
    if item.pointee.total_case == COMANDA__V1__ORDER_ITEM__TOTAL_TOTAL_MINOR { total = item.pointee.total_minor }
    note = String(field: item.pointee.note)
  }
}

extension CostDraft {
  fileprivate init(_ cost: Comanda__V1__Cost) {
    self.init()
    if cost.subtotal_case == COMANDA__V1__COST__SUBTOTAL_SUBTOTAL_MINOR { subtotal = cost.subtotal_minor }
    if cost.delivery_case == COMANDA__V1__COST__DELIVERY_DELIVERY_MINOR { delivery = cost.delivery_minor }
    if cost.total_case == COMANDA__V1__COST__TOTAL_TOTAL_MINOR { total = cost.total_minor }
  }
}

extension Timestamp {
  /// A moment that cannot be represented becomes the earliest there is, which validation refuses with the field's name.
  fileprivate init(wire: Google__Protobuf__Timestamp) {
    self = Timestamp(seconds: wire.seconds, nanoseconds: wire.nanos) ?? Timestamp.representable.lowerBound
  }
}

extension Choice where Value: RawRepresentable, Value.RawValue == Int16 {
  /// Takes a number of a C enum, whose type is unsigned while Protobuf's is signed.
  fileprivate init(wire bits: UInt32) {
    let number = Int32(bitPattern: bits)
    if number == 0 {
      self = .unspecified
    } else if let value = Int16(exactly: number).flatMap(Value.init(rawValue:)) {
      self = .value(value)
    } else {
      self = .unknown(Int64(number))
    }
  }
}
