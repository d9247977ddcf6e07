import ComandaDomain
import Testing

@Suite("Validation of order drafts")
struct OrderValidationTests {
  private let now = Timestamp(microseconds: 1_795_000_000_000_000)

  /// The smallest draft that is right.
  private func minimal() -> OrderDraft {
    var item = ItemDraft()
    item.name = "Ramen"
    item.quantity = Quantity(thousandths: 1_000)
    item.total = 900
    var draft = OrderDraft()
    draft.externalID = "A-1"
    draft.items = [item]
    return draft
  }

  /// The violations as `field CODE`, none for a right draft.
  private func violations(_ draft: OrderDraft, _ limits: OrderLimits = OrderLimits()) -> [String] {
    do {
      _ = try draft.validated(now: now, limits: limits)
      return []
    } catch {
      return error.violations.map { "\($0.field) \($0.code)" }
    }
  }

  @Test("the smallest draft gets the defaults: pickup, now, yen, credit card, no notification")
  func defaults() throws {
    let order = try minimal().validated(now: now)
    #expect(order.placedAt == now && order.fulfilment == .pickup)
    #expect(order.cost == OrderCost(currency: .jpy, subtotal: 900, delivery: 0, total: 900))
    #expect(order.paymentMethod == .creditCard && order.notificationChannel == .none)
    let imported = try minimal().validated(
      now: now, defaults: OrderDefaults(currency: .usd, paymentMethod: .cash, notificationChannel: .push))
    #expect(imported.cost.currency == .usd && imported.paymentMethod == .cash)
    #expect(imported.notificationChannel == .push)
  }

  @Test("what the draft says goes before the defaults")
  func explicit() throws {
    var draft = minimal()
    draft.currency = "EUR"
    draft.paymentMethod = .value(.cash)
    draft.notificationChannel = .value(.none)
    draft.placedAt = Timestamp(microseconds: 5)
    let order = try draft.validated(
      now: now, defaults: OrderDefaults(currency: .usd, paymentMethod: .creditCard, notificationChannel: .push))
    #expect(order.cost.currency == .eur && order.paymentMethod == .cash && order.notificationChannel == .none)
    #expect(order.placedAt == Timestamp(microseconds: 5))
  }

  @Test("amounts that add up beyond 64 bits are too much, also where limits let each of them pass")
  func hugeSums() {
    var limits = OrderLimits()
    limits.amountMinorUnits = .max - 1
    var draft = minimal()
    draft.items = (0..<2).map { _ in
      var item = ItemDraft()
      item.name = "Tea"
      item.quantity = Quantity(thousandths: 1_000)
      item.total = limits.amountMinorUnits
      return item
    }
    #expect(violations(draft, limits) == ["cost.total OUT_OF_RANGE"])
    draft.fulfilment = .delivery(DeliveryAddress(address: "1 Harbour Street"))
    draft.cost.delivery = limits.amountMinorUnits
    #expect(violations(draft, limits) == ["cost.total OUT_OF_RANGE"])
  }

  /// One way to spoil a draft, and what is said of it.
  struct Spoiled: CustomTestStringConvertible, Sendable {
    let expected: [String]
    let spoil: @Sendable (inout OrderDraft) -> Void
    var testDescription: String { expected.isEmpty ? "right" : expected.joined(separator: ", ") }

    init(_ expected: String..., spoil: @escaping @Sendable (inout OrderDraft) -> Void) {
      self.expected = expected
      self.spoil = spoil
    }
  }

  static let spoiled: [Spoiled] = [
    Spoiled("external_id MISSING") { $0.externalID = "" },
    Spoiled("external_id SURROUNDING_BLANKS") { $0.externalID = "A-1 " },
    Spoiled("external_id SURROUNDING_BLANKS") { $0.externalID = "\tA-1" },
    Spoiled("external_id TOO_LONG") { $0.externalID = String(repeating: "9", count: 65) },
    Spoiled { $0.externalID = String(repeating: "語", count: 64) },
    Spoiled("external_id CONTROL_CHARACTER") { $0.externalID = "A\u{0}1" },
    Spoiled("customer.name TOO_LONG") { $0.customer.name = String(repeating: "語", count: 201) },
    Spoiled { $0.customer.name = String(repeating: "語", count: 200) },
    Spoiled("customer.name CONTROL_CHARACTER") { $0.customer.name = "Bell\u{7}" },
    Spoiled("customer.phone TOO_LONG") { $0.customer.phone = String(repeating: "1", count: 33) },
    Spoiled("customer.email MALFORMED") { $0.customer.email = "nobody" },
    Spoiled("customer.email MALFORMED") { $0.customer.email = "@example.com" },
    Spoiled("customer.email MALFORMED") { $0.customer.email = "a@b@c" },
    Spoiled("customer.email MALFORMED") { $0.customer.email = "a b@example.com" },
    Spoiled { $0.customer.email = "a@example.com" },
    Spoiled("placed_at OUT_OF_RANGE") { $0.placedAt = Timestamp(microseconds: -1) },
    Spoiled { $0.placedAt = Timestamp(microseconds: 1_795_000_000_000_000).adding(seconds: 86_400) },
    Spoiled("placed_at OUT_OF_RANGE") {
      $0.placedAt = Timestamp(microseconds: 1_795_000_000_000_000).adding(seconds: 86_401)
    },
    Spoiled("currency MALFORMED") { $0.currency = "XXX" },
    Spoiled("currency MALFORMED") { $0.currency = "jpy" },
    Spoiled("delivery.address MISSING") { $0.fulfilment = .delivery(DeliveryAddress(address: "")) },
    Spoiled("delivery.address TOO_LONG") {
      $0.fulfilment = .delivery(DeliveryAddress(address: String(repeating: "x", count: 501)))
    },
    Spoiled("delivery.instructions CONTROL_CHARACTER") {
      $0.fulfilment = .delivery(DeliveryAddress(address: "x", instructions: "\u{7F}"))
    },
    Spoiled { $0.fulfilment = .delivery(DeliveryAddress(address: "1-2-3\nShibuya", instructions: "ring\ttwice")) },
    Spoiled("cost.delivery CONTRADICTION") { $0.cost.delivery = 1 },
    Spoiled { $0.cost.delivery = 0 },
    Spoiled("items MISSING") { $0.items = [] },
    Spoiled("items TOO_MANY") { $0.items = [ItemDraft](repeating: ItemDraft(), count: 501) },
    Spoiled("items[0].name MISSING") { $0.items[0].name = "" },
    Spoiled("items[0].name TOO_LONG") { $0.items[0].name = String(repeating: "x", count: 301) },
    Spoiled("items[0].sku TOO_LONG") { $0.items[0].sku = String(repeating: "x", count: 65) },
    Spoiled("items[0].note TOO_LONG") { $0.items[0].note = String(repeating: "x", count: 1_001) },
    Spoiled("items[0].quantity OUT_OF_RANGE") { $0.items[0].quantity = Quantity(thousandths: 0) },
    Spoiled("items[0].quantity OUT_OF_RANGE") { $0.items[0].quantity = Quantity(thousandths: -1) },
    Spoiled("items[0].quantity OUT_OF_RANGE") { $0.items[0].quantity = Quantity(thousandths: 1_000_000_001) },
    Spoiled { $0.items[0].quantity = Quantity(thousandths: 1) },
    Spoiled("items[0].unit_price OUT_OF_RANGE") { $0.items[0].unitPrice = -1 },
    Spoiled("items[0].total MISSING") { $0.items[0].total = nil },
    Spoiled("items[0].total OUT_OF_RANGE") { $0.items[0].total = -1 },
    Spoiled("items[0].total OUT_OF_RANGE") { $0.items[0].total = .max },
    Spoiled { $0.items[0].total = 0 },
    Spoiled { $0.cost.subtotal = 900 },
    Spoiled("cost.subtotal MISMATCH") { $0.cost.subtotal = 901 },
    Spoiled("cost.total MISMATCH") { $0.cost.total = 899 },
    Spoiled("cost.total OUT_OF_RANGE") { $0.cost.total = -1 },
    Spoiled("cost.delivery OUT_OF_RANGE") {
      $0.fulfilment = .delivery(DeliveryAddress(address: "x"))
      $0.cost.delivery = -1
    },
    Spoiled("cost.total OUT_OF_RANGE") {
      $0.items = [ItemDraft](repeating: $0.items[0], count: 500)
      for index in 0..<500 { $0.items[index].total = 1_000_000_000_000 }
    },
    Spoiled("payment_method UNKNOWN_VALUE") { $0.paymentMethod = .unknown(17) },
    Spoiled("notification_channel UNKNOWN_VALUE") { $0.notificationChannel = .unknown(-3) },
    Spoiled("customer.email MISSING") { $0.notificationChannel = .value(.email) },
    Spoiled("customer.phone MISSING") { $0.notificationChannel = .value(.sms) },
    Spoiled { $0.notificationChannel = .value(.push) },
    Spoiled("note TOO_LONG") { $0.note = String(repeating: "x", count: 1_001) },
    Spoiled("external_id MISSING", "currency MALFORMED", "items[0].total MISSING") {
      $0.externalID = ""
      $0.currency = "?"
      $0.items[0].total = nil
    },
  ]

  @Test("each way to spoil a draft is told by its field and code, and nothing else is", arguments: spoiled)
  func spoiledDrafts(_ case: Spoiled) {
    var draft = minimal()
    `case`.spoil(&draft)
    #expect(violations(draft) == `case`.expected)
  }

  @Test("all violations are collected, up to the bound")
  func bounded() {
    var draft = minimal()
    draft.items = [ItemDraft](repeating: ItemDraft(), count: 30)
    #expect(violations(draft).count == 20)
    #expect(
      violations(draft).prefix(3) == [
        "items[0].name MISSING", "items[0].quantity OUT_OF_RANGE", "items[0].total MISSING",
      ])
  }

  @Test("messages say what was wrong and what would be right, and quote no text of the customer's")
  func messages() {
    var draft = minimal()
    draft.customer.name = "Secret\u{1B}"
    draft.cost.total = 1_000
    draft.paymentMethod = .unknown(9)
    do {
      _ = try draft.validated(now: now)
      Issue.record("the draft is not right")
    } catch {
      #expect(
        error.violations.map(\.message) == [
          "customer.name holds the control character U+001B; remove it (tabs and line breaks are fine)",
          "cost.total is 1000 JPY, but items and delivery add up to 900 JPY; send 900 JPY or leave the field out",
          "payment_method is 9, which is not known here; use CREDIT_CARD or CASH",
        ])
      #expect(!error.description.contains("Secret"))
    }
  }

  @Test(
    "an id with something invisible at its end is refused",
    arguments: ["A ", " A", "A\u{3000}", "\u{200B}A", "A\u{FEFF}", "A\u{202E}", "\u{A0}A", "A\u{2028}", "A\u{85}"])
  func invisibleEnds(_ id: String) {
    var draft = minimal()
    draft.externalID = id
    #expect(violations(draft) == ["external_id SURROUNDING_BLANKS"])
  }

  @Test("an id is stored in the normal form NFC, and counted in it")
  func normalForm() throws {
    var draft = minimal()
    draft.externalID = String(repeating: "e\u{301}", count: 64)
    let stored = try draft.validated(now: now).externalID
    #expect(stored.unicodeScalars.elementsEqual(String(repeating: "\u{E9}", count: 64).unicodeScalars))
    #expect(ExternalID.normalized("주문-1").utf8.elementsEqual("주문-1".utf8))
  }

  @Test("a total above the limit is refused however it is stated", arguments: 0..<4 as Range<Int>)
  func totalAboveLimit(_ statement: Int) {
    let limit = OrderLimits().amountMinorUnits
    var draft = minimal()
    draft.items[0].total = limit
    draft.items.append(draft.items[0])
    if statement & 1 != 0 { draft.cost.subtotal = 2 * limit }
    if statement & 2 != 0 { draft.cost.total = 2 * limit }
    let found = Set(violations(draft))
    #expect(!found.isEmpty && found.isSubset(of: ["cost.subtotal OUT_OF_RANGE", "cost.total OUT_OF_RANGE"]))
    draft = minimal()
    draft.items[0].total = limit
    draft.fulfilment = .delivery(DeliveryAddress(address: "1-2-3"))
    draft.cost.delivery = limit
    if statement & 1 != 0 { draft.cost.subtotal = limit }
    #expect(violations(draft) == ["cost.total OUT_OF_RANGE"])
  }

  @Test("a moment that a sender gave and that cannot be is refused")
  func unrepresentableMoment() {
    var draft = minimal()
    draft.placedAt = .unrepresentable
    #expect(violations(draft) == ["placed_at MALFORMED"])
  }

  @Test("an order above what one payment may carry is legal")
  func aboveOnePayment() throws {
    var draft = minimal()
    draft.items[0].total = PaymentLimits.jpy.transaction.upperBound * 3
    #expect(try draft.validated(now: now).cost.total == 3_000_000)
  }

  @Test("random drafts never trap, and what is right adds up", arguments: 0..<50 as Range<UInt64>)
  func randomDrafts(_ offset: UInt64) {
    let seed = testSeed &+ offset
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let draft = randomDraft(&random)
      guard let order = try? draft.validated(now: now) else { continue }
      let subtotal = order.items.reduce(0) { $0 + $1.total }
      #expect(order.cost.subtotal == subtotal, "COMANDA_TEST_SEED=\(testSeed)")
      #expect(order.cost.total == subtotal + order.cost.delivery, "COMANDA_TEST_SEED=\(testSeed)")
      #expect(!order.externalID.isEmpty && order.items.allSatisfy { $0.quantity.thousandths > 0 })
    }
  }

  private func randomDraft(_ random: inout SeededGenerator) -> OrderDraft {
    func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: values.indices, using: &random)] }
    let amounts: [Int64] = [0, 1, 900, -1, .max, .min, 1_000_000_000_000, 1_000_000_000_001]
    let texts = ["", "a", " a", "\u{0}", "山田", "a@b", String(repeating: "é", count: 300)]
    var draft = OrderDraft()
    draft.externalID = pick(["A", "A-2"] + texts)
    draft.customer = Customer(name: pick(texts), phone: pick(texts), email: pick(["", "a@b"] + texts))
    draft.fulfilment = pick([.pickup, .delivery(DeliveryAddress(address: pick(texts)))])
    draft.currency = pick(["", "USD", "KWD", "??"])
    draft.placedAt = pick([nil, now, Timestamp(microseconds: .min), Timestamp(microseconds: .max)])
    draft.items = (0..<Int.random(in: 0...3, using: &random)).map { _ in
      var item = ItemDraft()
      item.name = pick(["Tea"] + texts)
      item.quantity = Quantity(thousandths: pick([1_000] + amounts))
      item.unitPrice = pick([nil] + amounts)
      item.total = pick([900, nil] + amounts)
      return item
    }
    draft.cost.delivery = pick([nil, nil] + amounts)
    draft.cost.total = pick([nil, nil] + amounts)
    return draft
  }
}
