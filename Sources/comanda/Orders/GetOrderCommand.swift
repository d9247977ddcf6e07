import ArgumentParser
import ComandaProtos

/// `comanda orders get`
struct GetOrderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print one order.",
    discussion: """
      Example: comanda orders get 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11
               comanda orders get --external-id S-000001 --json
      """)

  @Argument(help: "The server's id of the order.")
  var orderID: String?

  @Option(name: .customLong("external-id"), help: ArgumentHelp("The business's own id instead.", valueName: "id"))
  var externalID: String?

  @Flag(help: "Print the order as a JSON object, in the form that `orders create --json-file` takes.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func validate() throws {
    guard (orderID == nil) != (externalID == nil) else {
      throw ValidationError("say either ORDER-ID or --external-id ID")
    }
  }

  func run() async throws {
    let request = Comanda_V1_GetOrderRequest.with {
      if let orderID { $0.orderID = orderID }
      if let externalID { $0.externalID = externalID }
    }
    let order = try await connection.withClient { try await $0.orders.getOrder(request) }
    try OrderOutput.write(order, json: json)
  }
}

/// One order on stdout.
enum OrderOutput {
  static func write(_ order: Comanda_V1_Order, json: Bool) throws {
    if json {
      try JSONOutput.write(OrderJSON(order))
    } else {
      StandardOutput.write(text(of: order))
    }
  }

  private static func text(of order: Comanda_V1_Order) -> String {
    var table = Table([Table.Column(title: ""), Table.Column(title: "")])
    for (name, value) in facts(of: order) where !value.isEmpty { table.append([name, value]) }
    var items = Table([
      Table.Column(title: "", alignment: .right), Table.Column(title: "", fit: .shortened),
      Table.Column(title: "", alignment: .right), Table.Column(title: "", fit: .shortened),
    ])
    for item in order.items {
      items.append([
        NumberText.quantity(item.quantityThousandths), item.name, NumberText.amount(item.totalMinor, order.currency),
        item.note,
      ])
    }
    return table.text() + items.text(width: StandardOutput.width)
  }

  private static func facts(of order: Comanda_V1_Order) -> [(String, String)] {
    let customer = [order.customer.name, order.customer.phone, order.customer.email].filter { !$0.isEmpty }
    let fee = order.cost.deliveryMinor
    return [
      ("order", order.externalID), ("id", order.orderID), ("status", order.status.schemaName),
      ("placed at", TimeText.json(order.placedAt)), ("customer", customer.joined(separator: ", ")),
      ("delivery", order.delivery.address), ("payment", order.paymentMethod.schemaName),
      ("notification", order.notificationChannel.schemaName), ("note", order.note),
      ("import", order.hasSource ? "\(order.source.importID), row \(order.source.row)" : ""),
      ("delivery fee", fee == 0 ? "" : NumberText.amount(fee, order.currency)),
      ("total", NumberText.amount(order.cost.totalMinor, order.currency)),
    ]
  }
}
