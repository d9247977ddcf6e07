import Foundation
import Testing

/// Files that go in by one command.
@Suite("comanda import", .timeLimit(.minutes(20)))
struct ImportTests {
  @Test("brings in 10,000 sample orders, shows how it gets on, and changes nothing when it runs again")
  func sampleOrders() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    let client = try CommandLineClient(account, of: server)
    let file = try await SampleFile.tenThousand()
    let items = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").count - 1

    let first = try await client.run(["import", file, "--json"])
    #expect(first.ended == .exit(0), "\(first.transcript)")
    #expect(try first.json() == ImportSummary(rows: 10_000, applied: 10_000))
    let lines = first.errors.split(separator: "\n").filter { $0.contains("orders") }
    #expect(lines.count >= 2, "progress comes in lines where there is no terminal: \(first.errors)")
    #expect(lines.last?.contains("100%, 10,000/10,000 orders") == true, "\(first.errors)")
    #expect(!first.errors.contains("\r"))

    let statistics: OrderStatistics = try await client.json(["orders", "stats"])
    #expect(statistics.orders == 10_000)
    #expect(statistics.items == items)
    #expect(statistics.byStatus == ["PENDING": 10_000])
    #expect(statistics.totalMinor.keys.sorted() == ["JPY"])

    let second: ImportSummary = try await client.json(["import", file])
    #expect(second == ImportSummary(rows: 10_000, unchanged: 10_000))
    #expect(try await client.json(["orders", "stats"]) == statistics)
    let stored = try await Database.of(server) { try await $0.externalIDs(of: account) }
    #expect(stored == SampleFile.externalIDs(10_000))
  }

  /// A file of a real restaurant: what goes in, and what has to come of it.
  struct RestaurantFile: Sendable, CustomTestStringConvertible {
    let name: String
    let path: String
    let orders: Int
    let items: Int
    let cents: Int

    var testDescription: String { name }

    /// The beginning of the file, which comes with the tests.
    static let excerpt = RestaurantFile(
      name: "its first orders", path: Place.tests.appending(path: "Fixtures/restaurant.tsv").path, orders: 27,
      items: 60, cents: 40_357)

    /// The file, which lies beside the checkout where it is to be found at all.
    static let whole = RestaurantFile(
      name: "the whole file", path: Place.checkout.appending(path: "../shared/data/chipotle.tsv").standardized.path,
      orders: 1_834, items: 4_622, cents: 3_450_016)

    var isThere: Bool { FileManager.default.fileExists(atPath: path) }
  }

  @Test("brings in a real restaurant's orders to the cent, and nothing when it runs again")
  func restaurantExcerpt() async throws {
    try await expectRestaurant(.excerpt)
  }

  @Test(
    "brings in a real restaurant's whole file to the cent, and nothing when it runs again",
    .enabled(if: RestaurantFile.whole.isThere, "chipotle.tsv is not in ../shared/data beside the checkout"))
  func restaurantFile() async throws {
    try await expectRestaurant(.whole)
  }

  private func expectRestaurant(_ file: RestaurantFile) async throws {
    let server = try await Server.shared()
    let client = try await CommandLineClient(Account.make(on: server), of: server)
    let command = [
      "import", file.path, "--currency", "USD", "--columns",
      "external_id=order_id,item.name=item_name,item.quantity=quantity,item.total=item_total_price,"
        + "item.note=choice_description",
    ]
    let first: ImportSummary = try await client.json(command)
    #expect(first == ImportSummary(rows: file.orders, applied: file.orders))
    let expected = OrderStatistics(
      orders: file.orders, items: file.items, byStatus: ["PENDING": file.orders], totalMinor: ["USD": file.cents])
    #expect(try await client.json(["orders", "stats"]) == expected)

    let second: ImportSummary = try await client.json(command)
    #expect(second == ImportSummary(rows: file.orders, unchanged: file.orders))
    #expect(second.importID != first.importID)
    #expect(try await client.json(["orders", "stats"]) == expected)
  }
}
