extension FileOrder {
  /// Reads a field of the whole order; fields of items and the external id are read elsewhere.
  mutating func read(
    _ field: ImportField, from cell: Span<UInt8>, format: NumberFormat
  ) throws(CellFault) {
    switch field {
    case .placedAt: placedAt = try TimeParser.parse(cell)
    case .customerName: customerName = CellText.string(cell)
    case .customerPhone: customerPhone = CellText.string(cell)
    case .customerEmail: customerEmail = CellText.string(cell)
    case .fulfilment: fulfilment = try Vocabulary.fulfilment(cell)
    case .deliveryAddress: deliveryAddress = CellText.string(cell)
    case .deliveryFee: deliveryFee = try AmountParser(currency: currency, format: format).parse(cell)
    case .currency: currency = try Self.currency(cell, known: currency)
    case .orderSubtotal: subtotal = try AmountParser(currency: currency, format: format).parse(cell)
    case .orderTotal: total = try AmountParser(currency: currency, format: format).parse(cell)
    case .paymentMethod: paymentMethod = try Vocabulary.paymentMethod(cell)
    case .notificationChannel: notificationChannel = try Vocabulary.channel(cell)
    case .notificationRecipient: notificationRecipient = CellText.string(cell)
    case .note: note = CellText.string(cell)
    case .externalID, .itemName, .itemSKU, .itemQuantity, .itemUnitPrice, .itemTotal, .itemNote: break
    }
  }

  /// Whether two orders say the same about a field of the whole order.
  func agrees(with other: FileOrder, on field: ImportField) -> Bool {
    switch field {
    case .placedAt: placedAt == other.placedAt
    case .customerName: customerName == other.customerName
    case .customerPhone: customerPhone == other.customerPhone
    case .customerEmail: customerEmail == other.customerEmail
    case .fulfilment: fulfilment == other.fulfilment
    case .deliveryAddress: deliveryAddress == other.deliveryAddress
    case .deliveryFee: deliveryFee == other.deliveryFee
    case .currency: currency == other.currency
    case .orderSubtotal: subtotal == other.subtotal
    case .orderTotal: total == other.total
    case .paymentMethod: paymentMethod == other.paymentMethod
    case .notificationChannel: notificationChannel == other.notificationChannel
    case .notificationRecipient: notificationRecipient == other.notificationRecipient
    case .note: note == other.note
    case .externalID, .itemName, .itemSKU, .itemQuantity, .itemUnitPrice, .itemTotal, .itemNote: true
    }
  }

  private static func currency(_ cell: Span<UInt8>, known: CurrencyUnit) throws(CellFault) -> CurrencyUnit {
    let code = CellText.string(cell)
    if code == known.code { return known }
    guard let currency = CurrencyUnit(code: code) else {
      throw CellFault(
        .unknownCurrency, "\(CellText.quoted(cell)) is not a currency; write an ISO 4217 code such as JPY or USD")
    }
    return currency
  }
}
