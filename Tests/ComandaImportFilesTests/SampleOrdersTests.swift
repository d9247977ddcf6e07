import ComandaImportFiles
import Testing

@Suite("Sample orders")
struct SampleOrdersTests {
  private func csv(
    _ count: Int, items: Int? = nil, currency: CurrencyUnit = .yen, seed: UInt64 = 1, limit: Int = 1000
  ) throws -> [UInt8] {
    var orders = try #require(SampleOrders(count: count, itemsPerOrder: items, currency: currency, seed: seed))
    var bytes: [UInt8] = []
    var part: [UInt8] = []
    while orders.write(into: &part, atMost: limit) {
      bytes += part
      part.removeAll(keepingCapacity: true)
    }
    return bytes
  }

  @Test(
    "they are as many as asked for, with 1 to 5 items, all readable and consistent", arguments: SampleOrders.currencies)
  func consistent(code: String) throws {
    let currency = try #require(CurrencyUnit(code: code))
    let orders = try rows(try csv(500, currency: currency)).compactMap(\.order)
    #expect(orders.count == 500)
    #expect(orders.first?.externalID == "S-000001")
    #expect(orders.last?.externalID == "S-000500")
    #expect(Set(orders.map(\.items.count)) == [1, 2, 3, 4, 5])
    for order in orders {
      #expect(order.currency == currency)
      for item in order.items { #expect(item.unitPrice.map { $0 * item.quantity } == item.total * 1000) }
      let subtotal = order.items.reduce(0) { $0 + $1.total }
      #expect(order.subtotal == subtotal)
      #expect(order.total == subtotal + (order.deliveryFee ?? 0))
      #expect((order.fulfilment == .delivery) == !order.deliveryAddress.isEmpty)
      #expect(order.paymentMethod != nil && order.notificationChannel != nil && order.placedAt != nil)
    }
    #expect(Set(orders.map(\.fulfilment)) == Set(FileOrder.Fulfilment.allCases))
    #expect(Set(orders.compactMap(\.notificationChannel)) == Set(FileOrder.NotificationChannel.allCases))
    #expect(
      orders.contains { $0.note.contains(",") } && orders.contains { $0.items.contains { $0.name.contains("\"") } })
  }

  @Test(
    "with a number of items, each order has exactly so many, and costs 100 to 1,000,000 yen", arguments: [1, 2, 500])
  func fixedItems(count: Int) throws {
    let orders = try rows(try csv(100, items: count)).compactMap(\.order)
    #expect(orders.count == 100)
    #expect(orders.allSatisfy { $0.items.count == count })
    #expect(orders.allSatisfy { (100...1_000_000).contains($0.total ?? 0) })
  }

  @Test("the same arguments give the same bytes, however they are taken; another seed gives others")
  func deterministic() throws {
    let bytes = try csv(200)
    #expect(try csv(200, limit: 1) == bytes)
    #expect(try csv(200, limit: 1 << 20) == bytes)
    #expect(try csv(200, seed: 2) != bytes)
    let golden = "S-000001,2025-06-01T00:00:33Z,"
    #expect(String(decoding: bytes, as: UTF8.self).split(separator: "\n")[1].hasPrefix(golden))
  }

  @Test("none at all are just the header")
  func none() throws {
    #expect(try csv(0).filter { $0 == UInt8(ascii: "\n") }.count == 1)
    #expect(try rows(try csv(0)).isEmpty)
  }

  @Test("arguments out of range are refused")
  func badArguments() throws {
    #expect(SampleOrders(count: -1) == nil)
    #expect(SampleOrders(count: 1, itemsPerOrder: 0) == nil)
    #expect(SampleOrders(count: 1, itemsPerOrder: SampleOrders.itemLimit + 1) == nil)
    #expect(SampleOrders(count: 1, currency: try #require(CurrencyUnit(code: "CHF"))) == nil)
  }
}
