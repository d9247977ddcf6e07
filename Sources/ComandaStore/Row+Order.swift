import ComandaDomain
import ComandaPostgres

/// How a fulfilment is stored.
enum StoredFulfilment: Int16 {
  case pickup = 1
  case delivery = 2

  init(_ fulfilment: Fulfilment) {
    switch fulfilment {
    case .pickup: self = .pickup
    case .delivery: self = .delivery
    }
  }
}

extension Fulfilment {
  /// The address to store; empty for a pickup.
  var place: DeliveryAddress {
    switch self {
    case .pickup: DeliveryAddress(address: "")
    case .delivery(let place): place
    }
  }
}

extension Row {
  /// Reads the columns of the `order_find….sql` files and of `order_list.sql`, which are the same.
  func order(of business: BusinessID) throws -> Order {
    let importID: ImportID? = try idOrNil(1)
    let importRow = try int64OrNil(2)
    let fulfilment: Fulfilment =
      switch try value(11, StoredFulfilment.self) {
      case .pickup: .pickup
      case .delivery: .delivery(DeliveryAddress(address: try text(19), instructions: try text(20)))
      }
    let content = ValidatedOrder(
      stored: try text(15), placedAt: try time(3),
      customer: Customer(name: try text(16), phone: try text(17), email: try text(18)), fulfilment: fulfilment,
      items: try orderItems(),
      cost: OrderCost(
        currency: try currency(14), subtotal: try int64(6), delivery: try int64(7), total: try int64(8)),
      paymentMethod: try value(12), notificationChannel: try value(13), note: try text(21))
    return Order(
      id: try id(0), businessID: business, status: try value(10), revision: try int32(9), content: content,
      origin: importID.flatMap { id in importRow.map { ImportOrigin(importID: id, row: $0) } },
      createdAt: try time(4), updatedAt: try time(5))
  }

  private func orderItems() throws -> [OrderItem] {
    let names = try textArray(22)
    let skus = try textArray(23)
    let quantities = try int64Array(24)
    let unitPrices = try int64Array(25)
    let totals = try int64Array(26)
    let notes = try textArray(27)
    let counts = [skus.count, quantities.count, unitPrices.count, totals.count, notes.count]
    guard counts.allSatisfy({ $0 == names.count }) else { throw UnknownStoredValue() }
    return try names.indices.map { index in
      OrderItem(
        // bounded: each list has as many elements as names
        name: try known(names[index]), sku: try known(skus[index]),
        quantity: Quantity(thousandths: try known(quantities[index])),  // bounded: as before
        unitPrice: unitPrices[index],  // bounded: as before
        total: try known(totals[index]), note: try known(notes[index]))  // bounded: as before
    }
  }
}
