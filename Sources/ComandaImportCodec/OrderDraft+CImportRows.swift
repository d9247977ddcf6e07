import CImportRows
import ComandaDomain

extension OrderDraft {
  /// Copies an unpacked order, whose texts passed the check.
  ///
  /// A function and not an initializer, which would copy the whole draft once more at its end.
  static func copy(of order: UnsafePointer<Comanda__V1__OrderDraft>) -> OrderDraft {
    var draft = OrderDraft()
    draft.externalID = String(field: order.pointee.external_id)
    draft.placedAt = order.pointee.placed_at.map { Timestamp(wire: $0.pointee) }
    if let customer = order.pointee.customer { draft.customer = Customer(customer.pointee) }
    if order.pointee.fulfilment_case == COMANDA__V1__ORDER_DRAFT__FULFILMENT_DELIVERY,
      let delivery = order.pointee.delivery
    {
      draft.fulfilment = .delivery(DeliveryAddress(delivery.pointee))
    }
    draft.items.reserveCapacity(order.pointee.n_items)
    for index in 0..<order.pointee.n_items {  // bounded: a count of elements in memory
      guard let item = order.pointee.items[index] else { continue }  // bounded: by n_items
      draft.items.append(.copy(of: item))
    }
    if let cost = order.pointee.cost { draft.cost = CostDraft(cost.pointee) }
    draft.currency = String(field: order.pointee.currency)
    draft.paymentMethod = Choice(wire: order.pointee.payment_method.rawValue)
    draft.notificationChannel = Choice(wire: order.pointee.notification_channel.rawValue)
    draft.note = String(field: order.pointee.note)
    return draft
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
  fileprivate static func copy(of item: UnsafePointer<Comanda__V1__OrderItem>) -> ItemDraft {
    var draft = ItemDraft()
    draft.name = String(field: item.pointee.name)
    draft.sku = String(field: item.pointee.sku)
    draft.quantity = Quantity(thousandths: item.pointee.quantity_thousandths)
    if item.pointee.unit_price_case == COMANDA__V1__ORDER_ITEM__UNIT_PRICE_UNIT_PRICE_MINOR {
      draft.unitPrice = item.pointee.unit_price_minor
    }
    if item.pointee.total_case == COMANDA__V1__ORDER_ITEM__TOTAL_TOTAL_MINOR {
      draft.total = item.pointee.total_minor
    }
    draft.note = String(field: item.pointee.note)
    return draft
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
      self = .unknown(Int64(number))  // bounded: 32 bits
    }
  }
}
