import ComandaDomain
import ComandaStore
import Testing

@Suite("Statistics of orders")
struct OrderStatisticsTests {
  @Test("totals that no Int64 holds end at its largest value, within one status and over several")
  func saturation() async throws {
    try await StoreFixture.run { store in
      for number in 1...3 as ClosedRange<UInt64> {
        _ = try await store.orders.create(
          store.newOrder(draft("A-\(number)"), id: 10 + number), in: store.business, by: store.mutation("Create"))
      }
      _ = try await store.orders.changeStatus(
        StatusChange(orderID: newID(13), to: .accepted, expectedRevision: nil, reason: ""), of: store.business,
        by: store.mutation("Update"))
      // No call makes such orders, so the rows are made to hold them, and put back for the integrity check.
      try await store.execute("UPDATE orders SET subtotal = 4999999999999999700, total = 5000000000000000000")
      let overStatuses = try await store.orders.statistics(OrderFilter(), of: store.business)
      #expect(overStatuses.totals == [.jpy: .max])
      #expect(overStatuses.orders == 3 && overStatuses.items == 6)
      #expect(overStatuses.byStatus == [.pending: 2, .accepted: 1])
      let inOne = try await store.orders.statistics(OrderFilter(statuses: [.pending]), of: store.business)
      #expect(inOne.totals == [.jpy: .max])
      let exact = try await store.orders.statistics(OrderFilter(statuses: [.accepted]), of: store.business)
      #expect(exact.totals == [.jpy: 5_000_000_000_000_000_000])
      try await store.execute("UPDATE orders SET subtotal = 1000, total = 1300")
    }
  }
}
