import ComandaDomain
import ComandaImportCodec
import ComandaImportFiles

extension UploadedRow.Content {
  /// What a row of a file says, as it is uploaded.
  init(_ row: FileRow) {
    switch row.content {
    case .order(let order):
      self = .order(OrderDraft(order))
    case .rejected(let errors):
      let problems = errors.prefix(ImportLimits.rowProblems).map { RowProblem($0, in: row) }
      self = .unreadable(externalID: row.externalID ?? "", problems: problems)
    }
  }
}

extension FileRow {
  /// The lines of the row, as they are uploaded.
  var sourceTexts: [SourceText] {
    lines.map { SourceText(line: Int64($0.number), bytes: $0.bytes) }
  }
}

extension OrderDraft {
  fileprivate init(_ order: FileOrder) {
    self.init()
    externalID = order.externalID
    placedAt = order.placedAt.map(Timestamp.init(microseconds:))
    customer = Customer(name: order.customerName, phone: order.customerPhone, email: order.customerEmail)
    if order.fulfilment == .delivery { fulfilment = .delivery(DeliveryAddress(address: order.deliveryAddress)) }
    items = order.items.map(ItemDraft.init)
    cost.subtotal = order.subtotal
    cost.delivery = order.deliveryFee
    cost.total = order.total
    currency = order.currency.code
    paymentMethod = order.paymentMethod.map { .value(PaymentMethod($0)) } ?? .unspecified
    notificationChannel = order.notificationChannel.map { .value(NotificationChannel($0)) } ?? .unspecified
    note = order.note
  }
}

extension ItemDraft {
  fileprivate init(_ item: FileItem) {
    self.init()
    name = item.name
    sku = item.sku
    quantity = Quantity(thousandths: item.quantity)
    unitPrice = item.unitPrice
    total = item.total
    note = item.note
  }
}

extension PaymentMethod {
  fileprivate init(_ method: FileOrder.PaymentMethod) {
    self =
      switch method {
      case .creditCard: .creditCard
      case .cash: .cash
      }
  }
}

extension NotificationChannel {
  fileprivate init(_ channel: FileOrder.NotificationChannel) {
    self =
      switch channel {
      case .none: .none
      case .push: .push
      case .email: .email
      case .sms: .sms
      }
  }
}

extension RowProblem {
  /// What is wrong in a file, with the field named as the server names it.
  fileprivate init(_ error: CellError, in row: FileRow) {
    let field = error.field.map { field in
      guard field.isPerItem else { return field.path }
      let item = row.lines.firstIndex { $0.number == error.line } ?? 0
      return "items[\(item)].\(field.path)"
    }
    self.init(
      field: field ?? error.column ?? "", code: error.code.rawValue, message: error.message, line: Int64(error.line))
  }
}

extension ImportField {
  /// The field's path in an order, or in its item, as the schema spells it.
  fileprivate var path: String {
    switch self {
    case .deliveryFee: "cost.delivery"
    case .orderSubtotal: "cost.subtotal"
    case .orderTotal: "cost.total"
    case .paymentMethod: "payment_method"
    case .notificationChannel: "notification_channel"
    default: isPerItem ? String(rawValue.dropFirst("item.".count)) : rawValue
    }
  }
}
