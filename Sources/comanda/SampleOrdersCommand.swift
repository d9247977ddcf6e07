import ArgumentParser
import ComandaImportFiles

/// `comanda sample-orders`
struct SampleOrdersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample-orders",
    abstract: "Write made-up orders as CSV to stdout, one line an item: the same options give the same bytes.",
    discussion: """
      Example: comanda sample-orders --count 10000 > orders.csv
               comanda sample-orders --count 1000 --items 2 --currency USD > usd.csv
      """)

  @Option(help: "How many orders.")
  var count: Int

  @Option(help: "Items an order, 1 to \(SampleOrders.itemLimit) (default: 1 to 5 at random).")
  var items: Int?

  @Option(help: "One of \(SampleOrders.currencies.joined(separator: ", ")).")
  var currency = "JPY"

  @Option(help: "Other seeds give other orders.")
  var seed: UInt64 = 1

  func validate() throws {
    guard count >= 0 else { throw ValidationError("--count is 0 or more") }
    if let items, !(1...SampleOrders.itemLimit).contains(items) {
      throw ValidationError("--items is 1 to \(SampleOrders.itemLimit)")
    }
    guard SampleOrders.currencies.contains(currency.uppercased()) else {
      throw ValidationError("--currency is one of \(SampleOrders.currencies.joined(separator: ", "))")
    }
  }

  func run() throws {
    guard let unit = CurrencyUnit(code: currency),
      var orders = SampleOrders(count: count, itemsPerOrder: items, currency: unit, seed: seed)
    else { throw CommandFailure("there are no sample orders of this kind", status: .usage) }
    var bytes: [UInt8] = []
    while orders.write(into: &bytes, atMost: 256 * 1024) {
      bytes.withUnsafeBytes { StandardOutput.write($0) }
      bytes.removeAll(keepingCapacity: true)
    }
  }
}
