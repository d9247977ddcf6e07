import ArgumentParser
import ComandaImportFiles
import ComandaProtos
import FoundationEssentials

/// `comanda orders create`
struct CreateOrderCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Create one order, and print it.",
    discussion: """
      An order whose external id exists already with the same content is not created again, but printed.

      Example: comanda orders create --external-id T-1 \\
                 --item "name=Caffè latte,quantity=2,total=900"
               comanda orders create --external-id T-2 --currency USD \\
                 --item "name=Bowl,total=16.98,note=no rice" --customer-name Ada \\
                 --delivery-address "1 Main Street" --delivery-fee 3.50
               comanda orders get --external-id T-1 --json > order.json
               comanda orders create --json-file order.json
      """)

  @Option(name: .customLong("external-id"), help: ArgumentHelp("The business's own id of the order.", valueName: "id"))
  var externalID: String?

  @Option(
    help: ArgumentHelp(
      "An item; repeat for more. Keys: name, sku, quantity, unit_price, total, note.", valueName: "key=value,…"),
    transform: ItemArgument.init(parsing:))
  var item: [ItemArgument] = []

  @Option(help: ArgumentHelp("The currency, an ISO 4217 code.", valueName: "code"))
  var currency = CurrencyArgument(.yen)

  @Option(help: ArgumentHelp("Who ordered.", valueName: "name"))
  var customerName: String?

  @Option(help: ArgumentHelp("The customer's telephone number.", valueName: "number"))
  var customerPhone: String?

  @Option(help: ArgumentHelp("The customer's e-mail address.", valueName: "address"))
  var customerEmail: String?

  @Option(help: ArgumentHelp("Where to deliver; without it the order is fetched.", valueName: "address"))
  var deliveryAddress: String?

  @Option(help: ArgumentHelp("What the delivery costs.", valueName: "amount"))
  var deliveryFee: String?

  @Option(help: ArgumentHelp("How the order is paid.", valueName: "method"))
  var paymentMethod: Named<Comanda_V1_PaymentMethod>?

  @Option(help: ArgumentHelp("How the customer is told.", valueName: "channel"))
  var notificationChannel: Named<Comanda_V1_NotificationChannel>?

  @Option(help: ArgumentHelp("A remark on the order.", valueName: "text"))
  var note: String?

  @Option(
    help: ArgumentHelp(
      "Read the order from this file instead, as `orders get --json` prints it; - for stdin.", valueName: "file"))
  var jsonFile: String?

  @Option(help: ArgumentHelp("Makes it safe to repeat the command: the same id has one effect.", valueName: "id"))
  var requestID: String?

  @Flag(help: "Print the order as a JSON object.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func validate() throws {
    if jsonFile != nil {
      guard externalID == nil, item.isEmpty else {
        throw ValidationError("say either --json-file FILE or --external-id ID with --item …")
      }
    } else if externalID == nil || item.isEmpty {
      throw ValidationError("say --external-id ID and at least one --item …, or --json-file FILE")
    }
    if deliveryFee != nil, deliveryAddress == nil {
      throw ValidationError("--delivery-fee goes with --delivery-address")
    }
  }

  func run() async throws {
    let request = try Comanda_V1_CreateOrderRequest.with {
      $0.requestID = requestID ?? UUID().uuidString
      $0.order = try jsonFile.map(OrderDocument.draft) ?? draft()
    }
    let order = try await connection.withClient { try await $0.orders.createOrder(request) }
    try OrderOutput.write(order, json: json)
  }

  private func draft() throws -> Comanda_V1_OrderDraft {
    var draft = Comanda_V1_OrderDraft()
    draft.externalID = externalID ?? ""
    draft.currency = currency.unit.code
    draft.items = try item.map { try $0.item(in: currency.unit) }
    if customerName != nil || customerPhone != nil || customerEmail != nil {
      draft.customer.name = customerName ?? ""
      draft.customer.phone = customerPhone ?? ""
      draft.customer.email = customerEmail ?? ""
    }
    if let deliveryAddress { draft.delivery.address = deliveryAddress }
    if let deliveryFee { draft.cost.deliveryMinor = try amount(deliveryFee) }
    draft.paymentMethod = paymentMethod?.value ?? .unspecified
    draft.notificationChannel = notificationChannel?.value ?? .unspecified
    draft.note = note ?? ""
    return draft
  }

  private func amount(_ text: String) throws -> Int64 {
    do throws(CellFault) {
      return try AmountParser(currency: currency.unit).parse(Array(text.utf8).span) ?? 0
    } catch {
      throw CommandFailure("--delivery-fee: \(error.message)", status: .usage)
    }
  }
}
