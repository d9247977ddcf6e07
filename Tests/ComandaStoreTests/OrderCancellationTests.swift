import ComandaDomain
import ComandaPostgres
import ComandaStore
import Testing

@Suite("Canceled orders")
struct OrderCancellationTests {
  private func move(_ store: StoreFixture, _ id: UInt64, to status: OrderStatus) async throws {
    _ = try await store.orders.changeStatus(
      StatusChange(orderID: newID(id), to: status, expectedRevision: nil, reason: ""), of: store.business,
      by: store.mutation("Update", request: "\(id)-\(status.rawValue)", content: UInt8(status.rawValue)))
  }

  @Test("with an order its payment and its notification are canceled, and those of no other order")
  func intents() async throws {
    try await StoreFixture.run { store in
      for number in 1...3 as ClosedRange<UInt64> {
        _ = try await store.orders.create(
          store.newOrder(draft("A-\(number)"), id: 10 + number), in: store.business, by: store.mutation("Create"))
      }
      try await move(store, 11, to: .canceled)
      try await move(store, 11, to: .canceled)
      try await move(store, 12, to: .accepted)
      for table in ["payment_intents", "notification_intents"] {
        #expect(try await store.count("\(table) WHERE status = 2 AND order_id = '\(newID(11) as OrderID)'") == 1)
        #expect(try await store.count("\(table) WHERE status = 1") == 2)
      }
    }
  }

  @Test("the integrity check finds a canceled order that would still be charged or told")
  func integrityRules() async throws {
    try await StoreFixture.run { store in
      for number in 1...2 as ClosedRange<UInt64> {
        _ = try await store.orders.create(
          store.newOrder(draft("A-\(number)"), id: 10 + number), in: store.business, by: store.mutation("Create"))
      }
      try await move(store, 11, to: .canceled)
      for table in ["payment_intents", "notification_intents"] {
        for (from, to) in [(2, 1), (1, 2)] {
          try await store.execute("UPDATE \(table) SET status = \(to) WHERE status = \(from)")
          let broken = try await store.pool.withConnection { try await $0.query(Statement(Schema.integrityCheck)) }
          #expect(broken.rows.count == 1)
          let row = try #require(broken.rows.first)
          #expect(try row.text(0).contains(table == "payment_intents" ? "payment intent" : "notification intent"))
          #expect(try row.int64(1) == 1)
          let canceled = "order_id = '\(newID(11) as OrderID)'"
          try await store.execute("UPDATE \(table) SET status = CASE WHEN \(canceled) THEN 2 ELSE 1 END")
        }
      }
    }
  }
}
