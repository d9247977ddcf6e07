import ComandaDomain

/// The fields of `import_rows.proto` and `order_draft.proto`, with their numbers.
extension RowWriter {
  mutating func writeRow(_ content: UploadedRow.Content, lines: [SourceText]) {
    write(1) { writer in
      switch content {
      case .order(let order): writer.write(1) { $0.write(order) }
      case .unreadable(let externalID, let problems):
        writer.write(2) { writer in
          writer.write(1, externalID)
          for problem in problems { writer.write(2) { $0.write(problem) } }
        }
      }
      for line in lines {
        writer.write(3) { writer in
          writer.write(1, line.line)
          line.bytes.withUnsafeBytes { writer.write(2, $0) }
        }
      }
    }
  }

  private mutating func write(_ problem: RowProblem) {
    write(1, problem.code)
    write(2, problem.field)
    write(3, problem.message)
    write(4, problem.line ?? 0)
  }

  private mutating func write(_ order: OrderDraft) {
    write(2, order.externalID)
    if let moment = order.placedAt {
      write(3) { writer in
        writer.write(1, moment.seconds)
        writer.write(2, Int64(moment.nanoseconds))
      }
    }
    if order.customer != Customer() {
      write(4) { writer in
        writer.write(1, order.customer.name)
        writer.write(2, order.customer.phone)
        writer.write(3, order.customer.email)
      }
    }
    switch order.fulfilment {
    case .pickup: write(5) { _ in }
    case .delivery(let place):
      write(6) { writer in
        writer.write(1, place.address)
        writer.write(2, place.instructions)
      }
    }
    for item in order.items { write(7) { $0.write(item) } }
    if order.cost != CostDraft() { write(8) { $0.write(order.cost) } }
    write(9, order.currency)
    write(10, order.paymentMethod.wireNumber)
    write(11, order.notificationChannel.wireNumber)
    write(12, order.note)
  }

  private mutating func write(_ item: ItemDraft) {
    write(1, item.name)
    write(2, item.sku)
    write(3, item.quantity.thousandths)
    if let unitPrice = item.unitPrice { write(4, present: unitPrice) }
    if let total = item.total { write(5, present: total) }
    write(6, item.note)
  }

  private mutating func write(_ cost: CostDraft) {
    if let subtotal = cost.subtotal { write(1, present: subtotal) }
    if let delivery = cost.delivery { write(2, present: delivery) }
    if let total = cost.total { write(3, present: total) }
  }
}

extension Choice where Value: RawRepresentable, Value.RawValue == Int16 {
  fileprivate var wireNumber: Int64 {
    switch self {
    case .unspecified: 0
    case .value(let value): Int64(value.rawValue)
    case .unknown(let number): number
    }
  }
}
