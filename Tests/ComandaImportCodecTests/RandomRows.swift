import ComandaDomain
import ComandaImportCodec

/// A row to encode: what it holds and the lines it came from.
struct TestRow: Hashable {
  var content: UploadedRow.Content
  var lines: [SourceText]
}

extension SeededRandom {
  mutating func row() -> TestRow {
    let lines = (0..<Int.random(in: 0...4, using: &self)).map { _ in
      SourceText(line: number(), bytes: bytes(upTo: 40))
    }
    return TestRow(content: once(in: 5) ? unreadable() : .order(order()), lines: lines)
  }

  private mutating func bytes(upTo length: Int) -> [UInt8] {
    (0..<Int.random(in: 0...length, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
  }

  /// A row that nobody could read, with texts as they are kept.
  private mutating func unreadable() -> UploadedRow.Content {
    let problems = (0..<Int.random(in: 1...3, using: &self)).map { _ in
      RowProblem(
        field: text(upTo: 20).withoutControlCharacters, code: "CODE_\(Int.random(in: 0...9, using: &self))",
        message: text(upTo: 80).withoutControlCharacters,
        line: once(in: 3) ? nil : Int64.random(in: 1 ... .max, using: &self))
    }
    return .unreadable(externalID: text(upTo: 20).withoutControlCharacters, problems: problems)
  }

  mutating func order() -> OrderDraft {
    var order = OrderDraft()
    order.externalID = text(upTo: 40)
    if !once(in: 3) { order.placedAt = moment() }
    order.customer = Customer(name: text(upTo: 30), phone: text(upTo: 15), email: text(upTo: 30))
    if once(in: 2) {
      order.fulfilment = .delivery(DeliveryAddress(address: text(upTo: 200), instructions: text(upTo: 20)))
    }
    order.items = (0..<Int.random(in: 0...5, using: &self)).map { _ in item() }
    order.cost.subtotal = presentOrNot()
    order.cost.delivery = presentOrNot()
    order.cost.total = presentOrNot()
    order.currency = text(upTo: 3)
    order.paymentMethod =
      [.unspecified, .value(.creditCard), .value(.cash), .unknown(77)].randomElement(using: &self) ?? .unspecified
    order.notificationChannel =
      [.unspecified, .value(.none), .value(.sms), .unknown(-5)].randomElement(using: &self) ?? .unspecified
    order.note = text(upTo: 300)
    return order
  }

  private mutating func item() -> ItemDraft {
    var item = ItemDraft()
    item.name = text(upTo: 50)
    item.sku = text(upTo: 10)
    item.quantity = Quantity(thousandths: number())
    item.unitPrice = presentOrNot()
    item.total = presentOrNot()
    item.note = text(upTo: 150)
    return item
  }

  private mutating func moment() -> Timestamp {
    let range = Timestamp.representable.lowerBound.microseconds...Timestamp.representable.upperBound.microseconds
    return Timestamp(microseconds: Int64.random(in: range, using: &self))
  }
}
