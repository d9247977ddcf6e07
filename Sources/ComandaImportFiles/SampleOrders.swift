/// Makes up orders and writes them as CSV, one line an item: the same arguments give the same bytes.
///
/// ```swift
/// var orders = SampleOrders(count: 10_000)
/// var bytes: [UInt8] = []
/// while orders.write(into: &bytes, atMost: 1 << 16) { output.write(bytes); bytes.removeAll(keepingCapacity: true) }
/// ```
public struct SampleOrders: Sendable {
  /// The currencies that the menus have plausible prices in, with the minor units that a yen stands for.
  private static let minorUnitsPerYen = ["JPY": 1, "USD": 1, "EUR": 1, "GBP": 1, "AUD": 1, "KZT": 400]

  /// The codes of the currencies that ``init(count:itemsPerOrder:currency:seed:)`` takes.
  public static var currencies: [String] { minorUnitsPerYen.keys.sorted() }

  /// The most items that ``init(count:itemsPerOrder:currency:seed:)`` takes.
  public static let itemLimit = 500

  /// No order costs more yen, whatever the number of its items; a single payment goes up to 1,000,000.
  private static let orderLimit = 990_000

  /// 2025-06-01T00:00:00Z
  private static let firstOrder = CivilTime(year: 2025, month: 6, day: 1)

  private let count: Int
  private let itemsPerOrder: Int?
  private let currency: CurrencyUnit
  private let minorUnitsPerYen: Int
  private let idDigits: Int
  private var random: SplitMix64
  private var written = 0
  private var hasHeader = false
  private var time = Self.firstOrder
  private var prefix: [UInt8] = []
  private var items: [Item] = []

  private struct Item {
    var dish: Int
    var size: Int
    var note: Int
    var quantity: Int
    var unitPrice: Int
    var total: Int
  }

  /// Creates a generator.
  ///
  /// - Parameters:
  ///   - count: how many orders.
  ///   - itemsPerOrder: 1 to ``itemLimit``, or nil for 1 to 5 at random.
  ///   - currency: one of ``currencies``.
  ///   - seed: other seeds give other orders.
  /// - Returns: nil if an argument is out of its range.
  public init?(count: Int, itemsPerOrder: Int? = nil, currency: CurrencyUnit = .yen, seed: UInt64 = 1) {
    guard count >= 0, let factor = Self.minorUnitsPerYen[currency.code] else { return nil }
    if let itemsPerOrder, !(1...Self.itemLimit).contains(itemsPerOrder) { return nil }
    self.count = count
    self.itemsPerOrder = itemsPerOrder
    self.currency = currency
    minorUnitsPerYen = factor
    idDigits = max(6, String(count).utf8.count)
    random = SplitMix64(seed: seed)
  }

  /// Appends the header, if it is not written yet, and whole orders.
  ///
  /// - Parameters:
  ///   - bytes: where to.
  ///   - limit: stop after the order that makes `bytes` so long.
  /// - Returns: false if there was nothing left to write.
  public mutating func write(into bytes: inout [UInt8], atMost limit: Int) -> Bool {
    guard written < count || !hasHeader else { return false }
    if !hasHeader {
      hasHeader = true
      bytes += Self.header
    }
    while written < count, bytes.count < limit { writeOrder(into: &bytes) }
    return true
  }

  private static let header = Array(
    """
    external_id,placed_at,customer_name,customer_phone,customer_email,fulfilment,delivery_address,delivery_fee,currency,\
    payment_method,notification_channel,order_subtotal,order_total,order_note,\
    item_name,item_sku,item_quantity,item_unit_price,item_total,item_note

    """.utf8)

  private mutating func writeOrder(into bytes: inout [UInt8]) {
    written += 1
    time.advance(bySeconds: 5 + random.below(50))
    makeItems()
    let subtotal = items.reduce(0) { $0 + $1.total }
    makePrefix(subtotal: subtotal)
    for item in items {
      bytes += prefix
      write(item, into: &bytes)
    }
  }

  private mutating func makeItems() {
    items.removeAll(keepingCapacity: true)
    let count = itemsPerOrder ?? 1 + random.below(5)
    let most = Self.orderLimit / count * minorUnitsPerYen
    while items.count < count {
      let index = random.below(SampleMenu.dishes.count)
      let dish = SampleMenu.dishes[index]
      let size = dish.kind == .sized ? random.below(SampleMenu.sizes.count) : -1
      let percent = size < 0 ? 100 : SampleMenu.sizes[size].percent
      let unitPrice = dish.price * percent / 100 * minorUnitsPerYen
      // Half or whole kilograms by weight (all such prices are even), one to three pieces of the rest.
      let quantity = dish.kind == .weighed ? 500 * (1 + random.below(3)) : 1000 * (1 + random.below(10) * 2 / 9)
      let item = Item(
        dish: index, size: size, note: random.below(SampleMenu.itemNotes.count), quantity: quantity,
        unitPrice: unitPrice, total: unitPrice * quantity / 1000)
      if item.total <= most { items.append(item) }
    }
  }

  /// Writes what all lines of the order share.
  private mutating func makePrefix(subtotal: Int) {
    prefix.removeAll(keepingCapacity: true)
    let customer = SampleMenu.customers[random.below(SampleMenu.customers.count)]
    let isDelivery = random.below(10) < 6
    let street = SampleMenu.streets[random.below(SampleMenu.streets.count)]
    let fee = isDelivery ? (200 + 50 * random.below(9)) * minorUnitsPerYen : 0
    let note = SampleMenu.orderNotes[random.below(SampleMenu.orderNotes.count)]

    prefix.append("S-")
    prefix.append(decimal: written, digits: idDigits)
    prefix.append(",")
    time.write(into: &prefix)
    prefix.append(",")
    prefix.append(cell: customer.name)
    prefix.append(",+81-90-")
    prefix.append(decimal: random.below(10_000), digits: 4)
    prefix.append("-")
    prefix.append(decimal: random.below(10_000), digits: 4)
    prefix.append(",")
    prefix += customer.mail
    prefix.append(decimal: random.below(1000), digits: 1)
    prefix.append(isDelivery ? "@example.com,delivery," : "@example.com,pickup,")
    if isDelivery {
      // The house number follows the street inside of its quotes.
      prefix.append("\"")
      prefix += street
      prefix.append(decimal: 1 + random.below(40), digits: 1)
      prefix.append("\"")
    }
    prefix.append(",")
    prefix.append(amount: fee, exponent: currency.exponent)
    prefix.append(",")
    prefix += currency.code.utf8
    prefix.append(random.below(5) == 0 ? ",cash," : ",credit_card,")
    switch random.below(10) {
    case 0..<4: prefix.append("push,")
    case 4..<7: prefix.append("email,")
    case 7..<9: prefix.append("sms,")
    default: prefix.append("none,")
    }
    prefix.append(amount: subtotal, exponent: currency.exponent)
    prefix.append(",")
    prefix.append(amount: subtotal + fee, exponent: currency.exponent)
    prefix.append(",")
    prefix.append(cell: note)
    prefix.append(",")
  }

  private func write(_ item: Item, into bytes: inout [UInt8]) {
    let dish = SampleMenu.dishes[item.dish]
    if item.size < 0 {
      bytes.append(cell: dish.name)
      bytes.append(",")
      bytes += dish.sku
    } else {
      bytes.append(cell: dish.name + SampleMenu.sizes[item.size].label)
      bytes.append(",")
      bytes += dish.sku
      bytes += SampleMenu.sizes[item.size].sku
    }
    bytes.append(",")
    bytes.append(decimal: item.quantity / 1000, digits: 1)
    if item.quantity % 1000 != 0 { bytes.append(".5") }
    bytes.append(",")
    bytes.append(amount: item.unitPrice, exponent: currency.exponent)
    bytes.append(",")
    bytes.append(amount: item.total, exponent: currency.exponent)
    bytes.append(",")
    bytes.append(cell: SampleMenu.itemNotes[item.note])
    bytes.append("\n")
  }
}
