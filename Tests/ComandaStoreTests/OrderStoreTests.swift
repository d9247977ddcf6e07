import ComandaDomain
import ComandaPostgres
import ComandaStore
import Testing

@Suite("Orders in PostgreSQL")
struct OrderStoreTests {
  @Test("an order comes back as it was created")
  func roundTrip() async throws {
    try await StoreFixture.run { store in
      let order = try store.newOrder(draft("A-1"), id: 10)
      let creation = try await store.orders.create(order, in: store.business, by: store.mutation("Create"))
      guard case .created(let created) = creation else {
        Issue.record("not created: \(creation)")
        return
      }
      #expect(created.content == order.content)
      #expect(try await store.orders.order(order.id, of: store.business) == created)
      #expect(try await store.orders.order(externalID: "A-1", of: store.business) == created)
      #expect(try await store.count("payment_intents WHERE amount = 1300 AND currency = 'JPY'") == 1)
      #expect(try await store.count("notification_intents WHERE channel = 3") == 1)
      let history = try await store.orders.history(of: order.id, of: store.business)
      #expect(history.map(\.to) == [.pending] && history.map(\.from) == [nil] && history.map(\.sequence) == [1])
    }
  }

  @Test("a pickup paid in cash without a channel makes no intents")
  func noIntents() async throws {
    try await StoreFixture.run { store in
      var pickup = draft("A-1")
      pickup.fulfilment = .pickup
      pickup.cost.delivery = nil
      pickup.paymentMethod = .value(.cash)
      pickup.notificationChannel = .unspecified
      let order = try store.newOrder(pickup, id: 10)
      _ = try await store.orders.create(order, in: store.business, by: store.mutation("Create"))
      #expect(try await store.orders.order(order.id, of: store.business)?.content == order.content)
      #expect(try await store.count("payment_intents") == 0)
      #expect(try await store.count("notification_intents") == 0)
    }
  }

  @Test("the same content under the same external id is unchanged, other content is refused, nothing is written")
  func sameContent() async throws {
    try await StoreFixture.run { store in
      let first = try store.newOrder(draft("A-1"), id: 10)
      _ = try await store.orders.create(first, in: store.business, by: store.mutation("Create"))
      let again = try await store.orders.create(
        store.newOrder(draft("A-1"), id: 11), in: store.business, by: store.mutation("Create"))
      guard case .unchanged(let order) = again else {
        Issue.record("not unchanged: \(again)")
        return
      }
      #expect(order.id == first.id)
      let other = try await store.orders.create(
        store.newOrder(draft("A-1", variant: 5), id: 12), in: store.business, by: store.mutation("Create"))
      #expect(other == .contentDiffers(existing: first.id))
      #expect(try await store.count("orders") == 1)
      #expect(try await store.count("audit_records WHERE method = 'Create'") == 1)
    }
  }

  @Test("a request that is sent again answers with its order; its id for another request is refused")
  func requests() async throws {
    try await StoreFixture.run { store in
      let first = try store.newOrder(draft("A-1"), id: 10)
      _ = try await store.orders.create(
        first, in: store.business, by: store.mutation("Create", request: "r-1", content: 1))
      let again = try await store.orders.create(
        store.newOrder(draft("A-1"), id: 11), in: store.business,
        by: store.mutation("Create", request: "r-1", content: 1))
      guard case .sameRequest(let order) = again else {
        Issue.record("not repeated: \(again)")
        return
      }
      #expect(order.id == first.id)
      let reused = try await store.orders.create(
        store.newOrder(draft("A-2"), id: 12), in: store.business,
        by: store.mutation("Create", request: "r-1", content: 2))
      #expect(reused == .requestIDReused)
      #expect(try await store.orders.order(externalID: "A-2", of: store.business) == nil)
    }
  }

  @Test("a request id is free again a day later")
  func expiredRequest() async throws {
    try await StoreFixture.run { store in
      _ = try await store.orders.create(
        store.newOrder(draft("A-1"), id: 10), in: store.business,
        by: store.mutation("Create", request: "r-1", content: 1))
      // A server whose clock is a day ahead forgets nothing: the database's clock decides.
      let ahead = Mutation(
        actor: store.actor, method: "Create", at: store.now.adding(seconds: RequestKey.rememberedSeconds + 1),
        request: try RequestKey(id: "r-1", fingerprint: digest(2)))
      let order = try store.newOrder(draft("A-2"), id: 11)
      #expect(try await store.orders.create(order, in: store.business, by: ahead) == .requestIDReused)
      try await store.execute(
        "UPDATE requests SET claimed_at = claimed_at - interval '1 day', expires_at = expires_at - interval '1 day'")
      let creation = try await store.orders.create(order, in: store.business, by: ahead)
      guard case .created = creation else {
        Issue.record("not created: \(creation)")
        return
      }
    }
  }

  @Test("a hundred concurrent creations of ten external ids make ten orders with numbers without gaps")
  func concurrentCreation() async throws {
    try await StoreFixture.run { store in
      try await withThrowingTaskGroup { group in
        for number in 0..<100 as Range<UInt64> {
          group.addTask {
            let order = try store.newOrder(draft("A-\(number % 10)"), id: 100 + number)
            return try await store.orders.create(order, in: store.business, by: store.mutation("Create"))
          }
        }
        var created = 0
        for try await creation in group {
          if case .created = creation { created += 1 }
        }
        #expect(created == 10)
      }
      #expect(try await store.count("orders") == 10)
      #expect(try await store.count("business_sequences WHERE event_sequence = 10") == 1)
    }
  }

  @Test("orders that meet a lock wait for it alone, and are created")
  func batchFallback() async throws {
    try await StoreFixture.run { store in
      // Another transaction of the business is at its end and stays open.
      try await store.pool.withConnection { connection in
        try await connection.transaction { connection in
          _ = try await connection.query(
            Statement("UPDATE business_sequences SET audit_sequence = audit_sequence WHERE business_id = $1"),
            [.uuid(store.business.uuid)])
          async let first = store.orders.create(
            store.newOrder(draft("A-1"), id: 10), in: store.business, by: store.mutation("Create"))
          async let second = store.orders.create(
            store.newOrder(draft("A-2"), id: 11), in: store.business, by: store.mutation("Create"))
          // Longer than a shared connection waits for a lock.
          try await Task.sleep(for: .milliseconds(150))
          _ = try await connection.query(Statement("COMMIT"))
          _ = try await connection.query(Statement("BEGIN"))
          for creation in try await [first, second] {
            guard case .created = creation else {
              Issue.record("not created: \(creation)")
              return
            }
          }
        }
      }
      #expect(try await store.count("orders") == 2)
    }
  }

  @Test("a caller that is cancelled stops waiting, and the others' orders are created")
  func cancellation() async throws {
    try await StoreFixture.run { store in
      let cancelled = Task {
        try await store.orders.create(
          store.newOrder(draft("A-1"), id: 10), in: store.business, by: store.mutation("Create"))
      }
      cancelled.cancel()
      let other = try await store.orders.create(
        store.newOrder(draft("A-2"), id: 11), in: store.business, by: store.mutation("Create"))
      guard case .created = other else {
        Issue.record("not created: \(other)")
        return
      }
      _ = await cancelled.result
    }
  }

  @Test("another business sees nothing, and a business that is not there takes nothing")
  func tenancy() async throws {
    try await StoreFixture.run { store in
      let order = try store.newOrder(draft("A-1"), id: 10)
      _ = try await store.orders.create(order, in: store.business, by: store.mutation("Create"))
      let stranger: BusinessID = newID(99)
      #expect(try await store.orders.order(order.id, of: stranger) == nil)
      let seen = try await store.orders.list(OrderFilter(), of: stranger, page: PageRequest(size: 10))
      #expect(seen.elements.isEmpty)
      await #expect(throws: DomainError.notFound(.business, id: "\(stranger)")) {
        try await store.orders.create(
          store.newOrder(draft("A-2"), id: 11), in: stranger, by: store.mutation("Create", request: "r", content: 1))
      }
      #expect(try await store.count("orders") == 1)
    }
  }

  @Test("pages hold every order once, the latest placed first, with and without a status")
  func pages() async throws {
    try await StoreFixture.run { store in
      for number in 0..<25 as Range<UInt64> {
        var order = draft("A-\(number)")
        order.placedAt = Timestamp(microseconds: 1_790_000_000_000_000 + Int64(number / 3) * 1_000_000)
        _ = try await store.orders.create(
          store.newOrder(order, id: 100 + number), in: store.business, by: store.mutation("Create"))
      }
      for number in stride(from: UInt64(0), to: 25, by: 2) {
        _ = try await store.orders.changeStatus(
          StatusChange(orderID: newID(100 + number), to: .accepted, expectedRevision: nil, reason: ""),
          of: store.business, by: store.mutation("Update"))
      }
      let cases: [(OrderFilter, Int)] = [
        (OrderFilter(), 25), (OrderFilter(statuses: [.accepted]), 13), (OrderFilter(statuses: [.delivered]), 0),
        (OrderFilter(placedBefore: Timestamp(microseconds: 1_790_000_001_000_000)), 3),
        (OrderFilter(placedFrom: Timestamp(microseconds: 1_790_000_001_000_000)), 22),
        (OrderFilter(customerPrefix: "TARO@"), 25), (OrderFilter(customerPrefix: "taro_"), 0),
        (OrderFilter(text: "a-1"), 11), (OrderFilter(text: "RAMEN"), 25), (OrderFilter(text: "%"), 0),
      ]
      for (filter, expected) in cases {
        var seen: [Order] = []
        var cursor: OrderCursor?
        repeat {
          let page = try await store.orders.list(filter, of: store.business, page: PageRequest(size: 4, after: cursor))
          seen += page.elements
          cursor = page.next
        } while cursor != nil
        #expect(seen.count == expected, "\(filter)")
        #expect(Set(seen.map(\.id)).count == expected)
        let keys = seen.map { ($0.content.placedAt, $0.id) }
        #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 > $1 })
        let statistics = try await store.orders.statistics(filter, of: store.business)
        #expect(statistics.orders == Int64(expected) && statistics.items == Int64(2 * expected))
        #expect(statistics.totals == (expected == 0 ? [:] : [.jpy: Int64(1_300 * expected)]))
      }
      let all = try await store.orders.statistics(OrderFilter(), of: store.business)
      #expect(all.byStatus == [.pending: 12, .accepted: 13])
    }
  }

  @Test("a status moves along its life, its history tells who and why, and illegal moves name the legal ones")
  func statusChanges() async throws {
    try await StoreFixture.run { store in
      let order = try store.newOrder(draft("A-1"), id: 10)
      _ = try await store.orders.create(order, in: store.business, by: store.mutation("Create"))
      func move(_ status: OrderStatus, seen revision: Int32? = nil, request: String? = nil) async throws -> Order {
        try await store.orders.changeStatus(
          StatusChange(orderID: order.id, to: status, expectedRevision: revision, reason: "because"),
          of: store.business, by: store.mutation("Update", request: request, content: UInt8(status.rawValue)))
      }
      #expect(try await move(.accepted, seen: 1, request: "r-1").revision == 2)
      #expect(try await move(.accepted, seen: 1, request: "r-1").revision == 2)
      await #expect(throws: DomainError.requestIDReused) { try await move(.preparing, request: "r-1") }
      await #expect(throws: DomainError.etagMismatch(current: "2")) { try await move(.preparing, seen: 1) }
      await #expect(
        throws: DomainError.illegalMove(IllegalMove(from: .accepted, to: .ready, legal: [.preparing, .canceled]))
      ) { try await move(.ready) }
      #expect(try await move(.canceled).status == .canceled)
      let history = try await store.orders.history(of: order.id, of: store.business)
      #expect(history.map(\.to) == [.pending, .accepted, .canceled])
      #expect(history.map(\.sequence) == [1, 2, 3])
      #expect(history.map(\.reason) == ["", "because", "because"])
      #expect(Set(history.map(\.actor)) == [store.actor])
      await #expect(throws: DomainError.notFound(.order, id: "\(newID(77) as OrderID)")) {
        try await store.orders.changeStatus(
          StatusChange(orderID: newID(77), to: .accepted, expectedRevision: nil, reason: ""), of: store.business,
          by: store.mutation("Update"))
      }
    }
  }

  @Test("several orders come in the order of their ids asked for, without those that are not there")
  func batchGet() async throws {
    try await StoreFixture.run { store in
      for number in 1...3 as ClosedRange<UInt64> {
        _ = try await store.orders.create(
          store.newOrder(draft("A-\(number)"), id: number + 10), in: store.business, by: store.mutation("Create"))
      }
      let ids: [OrderID] = [newID(13), newID(99), newID(11), newID(13)]
      let (found, deferred) = try await store.orders.orders(ids, of: store.business)
      #expect(found.map(\.content.externalID) == ["A-3", "A-1"])
      #expect(deferred.isEmpty)
    }
  }
}
