import ArgumentParser
import ComandaProtos

/// `comanda orders stats`
struct OrderStatisticsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats",
    abstract: "Count orders and add up what they cost; the server does the adding.",
    discussion: """
      Example: comanda orders stats
               comanda orders stats --since 2026-11-01 --status delivered --json
      """)

  @OptionGroup(title: "Which orders")
  var orders: OrderFilterOptions

  @Flag(help: "Print one JSON object: orders, items, by_status, total_minor.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    let statistics = try await connection.withClient { client in
      try await client.orders.getOrderStatistics(.with { $0.filter = orders.filter })
    }
    if json {
      try JSONOutput.write(OrderStatisticsJSON(statistics))
    } else {
      StandardOutput.write(Self.text(of: statistics))
    }
  }

  private static func text(of statistics: Comanda_V1_OrderStatistics) -> String {
    var table = Table([Table.Column(title: ""), Table.Column(title: "", alignment: .right)])
    table.append(["orders", NumberText.grouped(statistics.orders)])
    table.append(["items", NumberText.grouped(statistics.items)])
    for count in statistics.byStatus {
      table.append([count.status.schemaName, NumberText.grouped(count.orders)])
    }
    for total in statistics.totals { table.append(["total", NumberText.amount(total.minorUnits, total.currency)]) }
    return table.text()
  }
}

/// What `comanda orders stats --json` prints.
struct OrderStatisticsJSON: Encodable {
  let orders: Int64
  /// Item lines.
  let items: Int64
  let byStatus: [String: Int64]
  let totalMinor: [String: Int64]

  enum CodingKeys: String, CodingKey {
    case orders, items
    case byStatus = "by_status"
    case totalMinor = "total_minor"
  }

  init(_ statistics: Comanda_V1_OrderStatistics) {
    orders = statistics.orders
    items = statistics.items
    byStatus = Dictionary(statistics.byStatus.map { ($0.status.schemaName, $0.orders) }) { first, _ in first }
    totalMinor = Dictionary(statistics.totals.map { ($0.currency, $0.minorUnits) }) { first, _ in first }
  }
}
