import ComandaDomain

/// The fields of `import_rows.proto` and `order_draft.proto`, with their numbers.
extension RowWriter {
  mutating func writeRow(_ content: UploadedRow.Content, lines: [SourceText]) {
    let row = open(1)
    switch content {
    case .order(let order):
      let message = open(1)
      write(order)
      close(message)
    case .unreadable(let externalID, let problems):
      let message = open(2)
      write(1, externalID)
      for problem in problems { write(problem) }
      close(message)
    }
    for line in lines {
      let message = open(3)
      write(1, line.line)
      line.bytes.withUnsafeBytes { write(2, $0) }
      close(message)
    }
    close(row)
  }

  private mutating func write(_ problem: RowProblem) {
    let message = open(2)
    write(1, problem.code)
    write(2, problem.field)
    write(3, problem.message)
    write(4, problem.line ?? 0)
    close(message)
  }

  private mutating func write(_ order: OrderDraft) {
    write(2, order.externalID)
    if let moment = order.placedAt {
      let message = open(3)
      write(1, moment.seconds)
      write(2, Int64(moment.nanoseconds))  // bounded: 32 bits
      close(message)
    }
    write(order.customer)
    write(order.fulfilment)
    for item in order.items { write(item) }
    write(order.cost)
    write(9, order.currency)
    write(10, order.paymentMethod.wireNumber)
    write(11, order.notificationChannel.wireNumber)
    write(12, order.note)
  }

  private mutating func write(_ customer: Customer) {
    guard !customer.name.isEmpty || !customer.phone.isEmpty || !customer.email.isEmpty else { return }
    let message = open(4)
    write(1, customer.name)
    write(2, customer.phone)
    write(3, customer.email)
    close(message)
  }

  private mutating func write(_ fulfilment: Fulfilment) {
    switch fulfilment {
    case .pickup:
      let message = open(5)
      close(message)
    case .delivery(let place):
      let message = open(6)
      write(1, place.address)
      write(2, place.instructions)
      close(message)
    }
  }

  private mutating func write(_ item: ItemDraft) {
    let message = open(7)
    write(1, item.name)
    write(2, item.sku)
    write(3, item.quantity.thousandths)
    if let unitPrice = item.unitPrice { write(4, present: unitPrice) }
    if let total = item.total { write(5, present: total) }
    write(6, item.note)
    close(message)
  }

  private mutating func write(_ cost: CostDraft) {
    guard cost != CostDraft() else { return }
    let message = open(8)
    if let subtotal = cost.subtotal { write(1, present: subtotal) }
    if let delivery = cost.delivery { write(2, present: delivery) }
    if let total = cost.total { write(3, present: total) }
    close(message)
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
