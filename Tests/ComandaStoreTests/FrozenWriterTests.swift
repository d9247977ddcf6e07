import ComandaDomain
import ComandaPostgres
import ComandaStore
import Testing

/// What a frozen or cut-off replica leaves behind: an open transaction in which nothing happens.
@Suite("Writers beside a frozen one")
struct FrozenWriterTests {
  @Test(
    "the business's other writers go through once the server has ended the frozen transaction", .timeLimit(.minutes(10))
  )
  func businessRow() async throws {
    try await StoreFixture.run { store in
      var configuration = try PostgresConfiguration(url: store.url)
      configuration.idleInTransactionTimeout = .milliseconds(500)
      let frozen = try PostgresPool(configuration: configuration, logger: silentLogger)
      _ = try await store.orders.create(
        store.newOrder(draft("A-1"), id: 10), in: store.business, by: store.mutation("Create"))
      for round in 0..<2 as Range<UInt64> {
        await #expect(throws: PostgresError.self) {
          try await frozen.withConnection { connection in
            try await connection.transaction { connection in
              _ = try await connection.query(
                Statement("UPDATE business_sequences SET audit_sequence = audit_sequence WHERE business_id = $1"),
                [.uuid(store.business.uuid)])
              if round == 0 {
                async let one = store.orders.create(
                  store.newOrder(draft("A-2"), id: 11), in: store.business, by: store.mutation("Create"))
                async let other = store.orders.create(
                  store.newOrder(draft("A-3"), id: 12), in: store.business, by: store.mutation("Create"))
                for creation in try await [one, other] {
                  guard case .created = creation else {
                    Issue.record("not created: \(creation)")
                    return
                  }
                }
              } else {
                let moved = try await store.orders.changeStatus(
                  StatusChange(orderID: newID(10), to: .accepted, expectedRevision: nil, reason: ""),
                  of: store.business, by: store.mutation("Update"))
                #expect(moved.status == .accepted)
              }
            }
          }
        }
      }
      await frozen.shutDown()
      #expect(try await store.count("orders") == 3)
    }
  }
}
