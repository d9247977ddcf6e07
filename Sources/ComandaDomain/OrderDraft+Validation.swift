extension OrderDraft {
  /// Checks every field and computes the cost.
  ///
  /// - Parameters:
  ///   - now: The moment of receipt: `placedAt` when the draft has none, and the bound of how late it may be.
  ///   - defaults: What applies where the draft says nothing.
  ///   - limits: The bounds.
  /// - Throws: All violations, not only the first.
  public func validated(
    now: Timestamp, defaults: OrderDefaults = OrderDefaults(), limits: OrderLimits = OrderLimits()
  ) throws(InvalidOrder) -> ValidatedOrder {
    var check = OrderCheck(limits: limits)
    let externalID = ExternalID.normalized(externalID)
    check.externalID(externalID)
    check.placedAt(placedAt, now: now)
    let knownCurrency = check.currency(currency, default: defaults.currency)
    check.text(customer.name, "customer.name", limits.customerNameLength)
    check.text(customer.phone, "customer.phone", limits.phoneLength)
    check.email(customer.email)
    check.fulfilment(fulfilment, fee: cost.delivery ?? 0)
    let validItems = check.items(items)
    let validCost = check.cost(cost, items: validItems, currency: knownCurrency ?? defaults.currency)
    let method = check.choice(paymentMethod, "payment_method", default: defaults.paymentMethod)
    let channel = check.choice(notificationChannel, "notification_channel", default: defaults.notificationChannel)
    check.recipient(of: channel, customer)
    check.text(note, "note", limits.noteLength)

    guard check.violations.isEmpty else { throw InvalidOrder(violations: check.violations) }
    return ValidatedOrder(
      stored: externalID, placedAt: placedAt ?? now, customer: customer, fulfilment: fulfilment,
      items: validItems, cost: validCost, paymentMethod: method, notificationChannel: channel, note: note)
  }
}

/// Collects what is wrong with one order. A check that fails yields a stand-in, which the caller throws away because
/// violations are then not empty.
private struct OrderCheck {
  let limits: OrderLimits
  private(set) var violations: [FieldViolation] = []

  init(limits: OrderLimits) {
    self.limits = limits
  }

  mutating func report(_ field: String, _ problem: FieldViolation.Problem) {
    guard violations.count < limits.reportedViolations else { return }
    violations.append(FieldViolation(field: field, problem: problem))
  }

  mutating func externalID(_ text: String) {
    guard !text.isEmpty else {
      return report("external_id", .missing(expected: "your own id of the order, unique within your business"))
    }
    self.text(text, "external_id", limits.externalIDLength)
    if ExternalID.hasInvisibleEnd(text) { report("external_id", .surroundingBlanks) }
  }

  mutating func placedAt(_ moment: Timestamp?, now: Timestamp) {
    guard let moment else { return }
    if moment == .unrepresentable {
      return report("placed_at", .malformed(expected: "a moment of the years 1970 to 9999"))
    }
    let earliest = Timestamp(microseconds: 0)
    let latest = now.adding(seconds: limits.placedAheadSeconds)
    if moment < earliest || moment > latest {
      report(
        "placed_at",
        .outOfRange(value: "\(moment)", allowed: "between \(earliest) and \(latest), a day ahead of the server's clock")
      )
    }
  }

  mutating func currency(_ code: String, default fallback: Currency) -> Currency? {
    guard !code.isEmpty else { return fallback }
    if let known = Currency(code: code) { return known }
    report("currency", .malformed(expected: "an ISO 4217 code of three capital letters, such as JPY or USD"))
    return nil
  }

  mutating func text(_ text: String, _ field: @autoclosure () -> String, _ limit: Int) {
    for problem in textProblems(text, limit: limit) { report(field(), problem) }
  }

  mutating func email(_ address: String) {
    guard !address.isEmpty else { return }
    text(address, "customer.email", limits.emailLength)
    let parts = address.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    if parts.count != 2 || parts.contains(where: \.isEmpty) || address.utf8.contains(where: isBlank) {
      report("customer.email", .malformed(expected: "an address such as name@example.com"))
    }
  }

  mutating func fulfilment(_ fulfilment: Fulfilment, fee: Int64) {
    switch fulfilment {
    case .pickup:
      if fee != 0 {
        report(
          "cost.delivery",
          .contradiction(explanation: "is given, but the customer fetches the order; leave it out or send delivery"))
      }
    case .delivery(let place):
      if place.address.isEmpty {
        report("delivery.address", .missing(expected: "the address to deliver to, or make the order a pickup"))
      }
      text(place.address, "delivery.address", limits.addressLength)
      text(place.instructions, "delivery.instructions", limits.instructionsLength)
    }
  }

  mutating func items(_ drafts: [ItemDraft]) -> [OrderItem] {
    guard !drafts.isEmpty else {
      report("items", .missing(expected: "at least one item"))
      return []
    }
    guard drafts.count <= limits.itemCount else {
      report("items", .tooMany(count: drafts.count, limit: limits.itemCount))
      return []
    }
    var items: [OrderItem] = []
    items.reserveCapacity(drafts.count)
    for (index, draft) in drafts.enumerated() {
      items.append(item(draft, index))
    }
    return items
  }

  private mutating func item(_ draft: ItemDraft, _ index: Int) -> OrderItem {
    if draft.name.isEmpty { report("items[\(index)].name", .missing(expected: "what was ordered")) }
    text(draft.name, "items[\(index)].name", limits.itemNameLength)
    text(draft.sku, "items[\(index)].sku", limits.skuLength)
    text(draft.note, "items[\(index)].note", limits.itemNoteLength)
    let most = Quantity(thousandths: limits.quantityThousandths)
    if draft.quantity.thousandths <= 0 || draft.quantity > most {
      report(
        "items[\(index)].quantity",
        .outOfRange(value: "\(draft.quantity)", allowed: "above 0 and at most \(most)"))
    }
    if let price = draft.unitPrice { amount(price, "items[\(index)].unit_price") }
    if let total = draft.total {
      amount(total, "items[\(index)].total")
    } else {
      report("items[\(index)].total", .missing(expected: "what the line costs, in minor units of the currency"))
    }
    return OrderItem(
      name: draft.name, sku: draft.sku, quantity: draft.quantity, unitPrice: draft.unitPrice, total: draft.total ?? 0,
      note: draft.note)
  }

  private mutating func amount(_ value: Int64, _ field: @autoclosure () -> String) {
    if value < 0 || value > limits.amountMinorUnits {
      report(
        field(), .outOfRange(value: "\(value) minor units", allowed: "between 0 and \(limits.amountMinorUnits)"))
    }
  }

  /// Computes the cost; says nothing about sums while an amount they come from is itself wrong.
  mutating func cost(_ draft: CostDraft, items: [OrderItem], currency: Currency) -> OrderCost {
    let before = violations.count
    let delivery = draft.delivery ?? 0
    amount(delivery, "cost.delivery")
    if let subtotal = draft.subtotal { amount(subtotal, "cost.subtotal") }
    if let total = draft.total { amount(total, "cost.total") }
    let amountsAreRight =
      violations.count == before && !items.isEmpty
      && items.allSatisfy { $0.total >= 0 && $0.total <= limits.amountMinorUnits }
      && !violations.contains { $0.field.hasSuffix(".total") || $0.field == "currency" }
    guard amountsAreRight else { return OrderCost(currency: currency, subtotal: 0, delivery: 0, total: 0) }

    // However the cost is stated, the same sum is too much.
    let subtotal = items.reduce(Int64(0)) { $0.addingSaturated($1.total) }
    let total = subtotal.addingSaturated(delivery)
    compare(draft.subtotal, subtotal, "cost.subtotal", currency, "the items add up to")
    compare(draft.total, total, "cost.total", currency, "items and delivery add up to")
    if violations.count == before { amount(total, "cost.total") }
    return OrderCost(currency: currency, subtotal: subtotal, delivery: delivery, total: total)
  }

  private mutating func compare(
    _ given: Int64?, _ computed: Int64, _ field: String, _ currency: Currency, _ explanation: String
  ) {
    guard let given, given != computed else { return }
    report(
      field,
      .mismatch(
        given: Money(minorUnits: given, currency: currency), computed: Money(minorUnits: computed, currency: currency),
        explanation: explanation))
  }

  mutating func choice<Value: SchemaNamed>(
    _ choice: Choice<Value>, _ field: String, default fallback: Value
  ) -> Value {
    switch choice {
    case .unspecified: return fallback
    case .value(let value): return value
    case .unknown(let number):
      report(field, .unknownValue(given: "\(number)", allowed: Value.allCases.map(\.schemaName)))
      return fallback
    }
  }

  mutating func recipient(of channel: NotificationChannel, _ customer: Customer) {
    switch channel {
    case .none, .push: return
    case .email where customer.email.isEmpty:
      report("customer.email", .missing(expected: "an e-mail address, since notification_channel is EMAIL"))
    case .sms where customer.phone.isEmpty:
      report("customer.phone", .missing(expected: "a telephone number, since notification_channel is SMS"))
    case .email, .sms: return
    }
  }
}

private func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
}
