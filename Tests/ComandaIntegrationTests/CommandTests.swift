import Foundation
import Testing

/// The other commands of the client, against a real server.
@Suite("comanda", .timeLimit(.minutes(20)))
struct CommandTests {
  private struct Order: Decodable, Equatable {
    let orderID: String
    let externalID: String
    let status: String

    enum CodingKeys: String, CodingKey {
      case orderID = "order_id"
      case externalID = "external_id"
      case status
    }
  }

  private struct OrderPage: Decodable {
    let orders: [Order]
    let nextPageToken: String

    enum CodingKeys: String, CodingKey {
      case orders
      case nextPageToken = "next_page_token"
    }
  }

  @Test("orders create, get, list and stats tell the same of an order")
  func orders() async throws {
    let client = try await newClient()
    let creation = [
      "orders", "create", "--external-id", "T-1", "--currency", "USD", "--item", "name=Bowl,total=16.98",
      "--delivery-address", "1 Main Street", "--delivery-fee", "3.50",
    ]
    let created: Order = try await client.json(creation)
    #expect(created.externalID == "T-1")
    #expect(created.status == "PENDING")
    #expect(try await client.json(creation) == created)
    #expect(try await client.json(["orders", "get", created.orderID]) == created)
    #expect(try await client.json(["orders", "get", "--external-id", "T-1"]) == created)
    #expect(try await client.json(["orders", "list"], as: OrderPage.self).orders == [created])
    let statistics: OrderStatistics = try await client.json(["orders", "stats"])
    #expect(
      statistics == OrderStatistics(orders: 1, items: 1, byStatus: ["PENDING": 1], totalMinor: ["USD": 2_048]))
  }

  @Test("orders list goes through all pages, each order once")
  func pages() async throws {
    let client = try await newClient()
    let imported: ImportSummary = try await client.json(["import", SampleFile.make(orders: 25)])
    #expect(imported == ImportSummary(rows: 25, applied: 25))
    var externalIDs: [String] = []
    var token = ""
    repeat {
      let page: OrderPage = try await client.json(
        ["orders", "list", "--limit", "10"] + (token.isEmpty ? [] : ["--page-token", token]))
      externalIDs += page.orders.map(\.externalID)
      token = page.nextPageToken
    } while !token.isEmpty && externalIDs.count <= 25
    #expect(externalIDs.sorted() == SampleFile.externalIDs(25))
  }

  @Test("imports list, get and watch know an import that has ended")
  func imports() async throws {
    struct Import: Decodable, Equatable {
      let import_id: String
      let state: String
      let applied: Int
    }
    struct Page: Decodable {
      let imports: [Import]
    }
    let client = try await newClient()
    let imported: ImportSummary = try await client.json(["import", SampleFile.make(orders: 25)])
    let expected = Import(import_id: imported.importID, state: "COMPLETED", applied: 25)
    #expect(try await client.json(["imports", "list"], as: Page.self).imports == [expected])
    #expect(try await client.json(["imports", "list", "--state", "receiving"], as: Page.self).imports == [])
    #expect(try await client.json(["imports", "get", imported.importID]) == expected)
    #expect(try await client.json(["imports", "watch", imported.importID]) == imported)
  }

  @Test("says in one line what is wrong, without a token, and exits as it should")
  func failures() async throws {
    let client = try await newClient()
    let unknown = try await client.run(["orders", "get", "--external-id", "nobody"])
    #expect(unknown.ended == .exit(1))
    #expect(unknown.output.isEmpty)
    #expect(unknown.errors == "comanda: there is no order nobody (NOT_FOUND)\n")

    let misused = try await client.run(["orders", "list", "--limit", "-1"])
    #expect(misused.ended == .exit(2))
    #expect(misused.errors.contains("--limit"))

    let stranger = try await client.run(["orders", "stats", "--token", "nobodys-secret"])
    #expect(stranger.ended == .exit(1))
    #expect(stranger.errors.contains("UNAUTHENTICATED"))
    #expect(!stranger.errors.contains("nobodys-secret"))

    let missing = try await client.run(["import", "/nowhere/orders.csv"])
    #expect(missing.ended == .exit(1))
    #expect(missing.errors.contains("/nowhere/orders.csv"))

    let faulty = try await client.run(["orders", "create", "--external-id", "T-1", "--item", "name=Bowl"])
    #expect([.exit(1), .exit(2)].contains(faulty.ended))
    #expect(faulty.errors.contains("total"), "\(faulty.transcript)")
  }

  @Test("says soon that no server is there")
  func noServer() async throws {
    let server = try await Server.shared()
    let client = try await CommandLineClient(Account.make(on: server), of: server, at: "127.0.0.1:1")
    let start = ContinuousClock.now
    for command in [["orders", "stats"], ["import", try await SampleFile.make(orders: 1)]] {
      let process = try await client.run(command)
      #expect(process.ended == .exit(1))
      #expect(process.errors.contains("127.0.0.1:1"), "\(process.transcript)")
      #expect(process.errors.contains("UNAVAILABLE"), "\(process.transcript)")
    }
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  private func newClient() async throws -> CommandLineClient {
    let server = try await Server.shared()
    return try await CommandLineClient(Account.make(on: server), of: server)
  }
}
