import ComandaDomain
import ComandaStore
import Testing

@Suite("Pages of large orders")
struct OrderPageTests {
  /// What a page may hold: 1 MiB, or one order.
  private static let pageBytes = 1_048_576

  /// An order of some 400 kB: 100 items with a note as long as it may be, in three-byte characters.
  private func largeDraft(_ externalID: String) -> OrderDraft {
    var draft = draft(externalID)
    draft.items = (0..<100).map { number in
      var item = ItemDraft()
      item.name = "Ramen \(number)"
      item.quantity = Quantity(thousandths: 1_000)
      item.total = 100
      item.note = String(repeating: "麺", count: 1_000)
      return item
    }
    return draft
  }

  private func createOrders(_ store: StoreFixture) async throws {
    for number in 1...7 as ClosedRange<UInt64> {
      var order = largeDraft("A-\(number)")
      order.placedAt = Timestamp(microseconds: 1_790_000_000_000_000 - Int64(number) * 1_000_000)
      _ = try await store.orders.create(
        store.newOrder(order, id: 10 + number), in: store.business, by: store.mutation("Create"))
    }
  }

  @Test("a page of a list ends at 1 MiB, and its cursor leads to the rest")
  func list() async throws {
    try await StoreFixture.run { store in
      try await createOrders(store)
      var sizes: [Int] = []
      var seen: [String] = []
      var cursor: OrderCursor?
      repeat {
        let page = try await store.orders.list(
          OrderFilter(), of: store.business, page: PageRequest(size: 100, after: cursor))
        sizes.append(page.elements.reduce(0) { $0 + $1.noteBytes })
        seen += page.elements.map(\.content.externalID)
        cursor = page.next
      } while cursor != nil
      #expect(seen == (1...7).map { "A-\($0)" })
      #expect(sizes.allSatisfy { $0 <= Self.pageBytes })
      #expect(sizes == [900_000, 900_000, 300_000])
      // What no other order fits beside is a page of its own, and the number still bounds it.
      let one = try await store.orders.list(OrderFilter(), of: store.business, page: PageRequest(size: 1))
      #expect(one.elements.count == 1 && one.next != nil)
    }
  }

  @Test("several orders end at 1 MiB too, and the ids that were left get the others")
  func batch() async throws {
    try await StoreFixture.run { store in
      try await createOrders(store)
      let missing: OrderID = newID(99)
      var rest: [OrderID] = [missing] + (1...7).map { newID(10 + $0) }
      var seen: [[String]] = []
      repeat {
        let (found, deferred) = try await store.orders.orders(rest, of: store.business)
        #expect(found.reduce(0) { $0 + $1.noteBytes } <= Self.pageBytes)
        seen.append(found.map(\.content.externalID))
        rest = deferred
      } while !rest.isEmpty
      #expect(seen == [["A-1", "A-2", "A-3"], ["A-4", "A-5", "A-6"], ["A-7"]])
    }
  }
}

extension Order {
  fileprivate var noteBytes: Int { content.items.reduce(0) { $0 + $1.note.utf8.count } }
}
