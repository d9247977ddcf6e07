import ArgumentParser

/// `comanda orders`
struct OrdersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orders",
    abstract: "Create, read, list and count orders.",
    discussion: "Example: comanda orders stats --json",
    subcommands: [CreateOrderCommand.self, GetOrderCommand.self, ListOrdersCommand.self, OrderStatisticsCommand.self])
}
