import ArgumentParser
import ComandaProtos

/// `comanda orders list`
struct ListOrdersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List orders, the latest placed first.",
    discussion: """
      Example: comanda orders list --status pending --limit 100
               comanda orders list --since 2026-11-01 --until 2026-12-01 --json
      """)

  @OptionGroup(title: "Which orders")
  var orders: OrderFilterOptions

  @OptionGroup
  var page: PageOptions

  @Flag(help: "Print one JSON object: orders, next_page_token.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    let (found, next) = try await connection.withClient { client in
      try await page.gather { size, token in
        let response = try await client.orders.listOrders(
          .with {
            $0.filter = orders.filter
            $0.pageSize = size
            $0.pageToken = token
          })
        return (response.orders, response.nextPageToken)
      }
    }
    if json {
      try JSONOutput.write(OrderListJSON(orders: found.map(OrderJSON.init), nextPageToken: next))
    } else {
      Self.table(of: found).print()
      PageOptions.note(next)
    }
  }

  private static func table(of orders: [Comanda_V1_Order]) -> Table {
    var table = Table([
      Table.Column(title: "ORDER"), Table.Column(title: "STATUS"),
      Table.Column(title: "PLACED AT (UTC)", fit: .dispensable(1)), Table.Column(title: "CUSTOMER", fit: .shortened),
      Table.Column(title: "ITEMS", alignment: .right, fit: .dispensable(2)),
      Table.Column(title: "TOTAL", alignment: .right),
    ])
    for order in orders {
      table.append([
        order.externalID, order.status.schemaName, TimeText.table(order.placedAt), order.customer.name,
        "\(order.items.count)", NumberText.amount(order.cost.totalMinor, order.currency),
      ])
    }
    return table
  }
}

/// A page of orders.
struct OrderListJSON: Encodable {
  let orders: [OrderJSON]
  let nextPageToken: String

  enum CodingKeys: String, CodingKey {
    case orders
    case nextPageToken = "next_page_token"
  }
}
