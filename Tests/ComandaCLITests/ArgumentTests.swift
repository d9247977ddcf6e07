import ArgumentParser
import ComandaClient
import ComandaImportFiles
import ComandaProtos
import FoundationEssentials
import Testing

@testable import comanda

struct ArgumentTests {
  /// Every command, with its subcommands' subcommands.
  private static func commands(below root: any ParsableCommand.Type = Comanda.self) -> [any ParsableCommand.Type] {
    [root] + root.configuration.subcommands.flatMap { commands(below: $0) }
  }

  /// The words of a line as a shell tells them apart, up to where its output goes.
  private static func words(of line: String) -> [String] {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    for character in line.prefix(while: { $0 != ">" }) {
      switch character {
      case "\"":
        isQuoted.toggle()
        word = word ?? ""
      case " " where !isQuoted:
        if let complete = word { words.append(complete) }
        word = nil
      default: word = (word ?? "") + String(character)
      }
    }
    return words + [word].compactMap { $0 }
  }

  @Test("every command has an example that can be pasted from an 80-column terminal, and is understood")
  func examples() throws {
    for command in Self.commands() {
      let text = command.configuration.discussion
      let start = try #require(text.range(of: "Example: "), "\(command) has no example")
      let lines = text[start.upperBound...].split(separator: "\n")
      let others = lines.dropFirst().prefix { $0.hasPrefix("   ") }
      for line in text.split(separator: "\n") where line.hasPrefix("Example: ") || line.hasPrefix("   ") {
        #expect(line.count <= 80, "\(line)")
      }
      let joined = (lines.prefix(1) + others).map { $0.drop { $0 == " " } }.joined(separator: "\n").replacing(
        "\\\n", with: "")
      for example in joined.split(separator: "\n") {
        let words = Self.words(of: String(example))
        #expect(words.first == "comanda", "\(example)")
        #expect(throws: Never.self, "\(example)") { try Comanda.parseAsRoot(Array(words.dropFirst())) }
      }
    }
  }

  @Test("an item is keys and values, and keeps the commas of its texts")
  func items() throws {
    let argument = try ItemArgument(parsing: "name=Pho, large,quantity=1.5,total=16.98,note=hot, no lid=1")
    let item = try argument.item(in: try #require(CurrencyUnit(code: "USD")))
    #expect(
      item
        == .with {
          $0.name = "Pho, large"
          $0.quantityThousandths = 1500
          $0.totalMinor = 1698
          $0.note = "hot, no lid=1"
        })
  }

  @Test("an item without a total gets quantity times unit price, if that is a whole amount")
  func totals() throws {
    let item = try ItemArgument(parsing: "name=Tea,quantity=0.5,unit_price=300").item(in: .yen)
    #expect(item.totalMinor == 150)
    #expect(item.unitPriceMinor == 300)
    #expect(throws: CommandFailure.self) {
      try ItemArgument(parsing: "name=Tea,quantity=0.001,unit_price=300").item(in: .yen)
    }
    #expect(throws: CommandFailure.self) {
      try ItemArgument(parsing: "name=Tea,quantity=9000000000000,unit_price=9000000000").item(in: .yen)
    }
  }

  @Test(
    "an item that is not one is refused",
    arguments: ["", "Tea", "total=3", "name=Tea", "name=a,name=b,total=1", "colour=red,name=a,total=1"])
  func refusesItems(text: String) {
    #expect(throws: ValidationError.self) { try ItemArgument(parsing: text) }
  }

  @Test("an amount that cannot be read is a usage error that says what would be right")
  func refusesAmounts() throws {
    let argument = try ItemArgument(parsing: "name=Tea,total=abc")
    #expect {
      try argument.item(in: .yen)
    } throws: { error in
      let failure = error as? CommandFailure
      return failure?.status == .usage && failure?.message.contains("not an amount") == true
    }
  }

  @Test("what `orders get --json` prints, `orders create --json-file` takes")
  func orderRoundTrip() throws {
    let order = Comanda_V1_Order.with {
      $0.orderID = "id"
      $0.externalID = "E-1"
      $0.placedAt.seconds = 1_795_256_100
      $0.placedAt.nanos = 123_456_000
      $0.customer.name = "加藤"
      $0.delivery.address = "1 Main"
      $0.items = [
        .with {
          $0.name = "Tea"
          $0.quantityThousandths = 500
          $0.unitPriceMinor = 0
          $0.totalMinor = 0
        }
      ]
      $0.cost.subtotalMinor = 0
      $0.cost.deliveryMinor = 350
      $0.cost.totalMinor = 350
      $0.currency = "JPY"
      $0.paymentMethod = .cash
      $0.notificationChannel = .sms
      $0.status = .pending
    }
    let text = try JSONOutput.text(of: OrderJSON(order))
    let draft = try JSONDecoder().decode(OrderJSON.self, from: Data(text.utf8)).draft()
    #expect(
      draft
        == .with {
          $0.externalID = order.externalID
          $0.placedAt = order.placedAt
          $0.customer = order.customer
          $0.delivery = order.delivery
          $0.items = order.items
          $0.cost = order.cost
          $0.currency = order.currency
          $0.paymentMethod = order.paymentMethod
          $0.notificationChannel = order.notificationChannel
        })
  }

  @Test("--server alone does not borrow the token of the environment's profile")
  func keepsToken() throws {
    let environment = ["COMANDA_PROFILE": "/nowhere/client.json"]
    let options = try ConnectionOptions.parse(["--server", "h:1"])
    #expect(try options.resolved(environment: environment).token == nil)
    #expect(throws: ClientProfileError.self) { try ConnectionOptions.parse([]).resolved(environment: environment) }
    #expect {
      try ConnectionOptions.parse([]).resolved(environment: [:])
    } throws: { ($0 as? CommandFailure)?.status == .usage }
  }

  @Test("--server may be repeated, and takes Unix sockets")
  func severalServers() throws {
    let options = try ConnectionOptions.parse(["--server", "h:1", "--server", "unix:/run/comanda.sock"])
    let profile = try options.resolved(environment: [:])
    #expect(profile.servers.map(\.description) == ["h:1", "unix:/run/comanda.sock"])
    #expect(throws: (any Error).self) { try ConnectionOptions.parse(["--server", "h:1", "--server", "h:0"]) }
  }

  @Test("the command to go on with repeats what decides how the file is read, and no token")
  func resumeCommand() throws {
    let arguments = [
      "import", "my orders.csv", "--columns", "external_id=no,item.name=it's", "--currency", "USD", "--token", "secret",
      "--server", "h:1",
    ]
    let command = try #require(try Comanda.parseAsRoot(arguments) as? ImportCommand)
    #expect(
      ResumeCommand.importing("i-1", command)
        == #"comanda import 'my orders.csv' --resume i-1 --columns 'external_id=no,item.name=it'\''s' "#
        + "--currency USD --server h:1")
  }

  @Test("names of the schema are taken in any case, and unknown ones are shown as such")
  func names() {
    #expect(Named<Comanda_V1_OrderStatus>(argument: "out-for-delivery")?.value == .outForDelivery)
    #expect(Named<Comanda_V1_OrderStatus>(argument: "OUT_FOR_DELIVERY")?.value == .outForDelivery)
    #expect(Named<Comanda_V1_OrderStatus>(argument: "lost") == nil)
    #expect(Comanda_V1_ImportState.UNRECOGNIZED(77).schemaName == "UNKNOWN_77")
  }

  @Test("moments before 1970 keep their fraction")
  func moments() {
    #expect(Moment(argument: "1969-12-31T23:59:59.25Z")?.timestamp == .init(seconds: -1, nanos: 250_000_000))
    #expect(Moment(argument: "2026-11-21")?.timestamp == .init(seconds: 1_795_219_200))
    #expect(Moment(argument: "yesterday") == nil)
  }

  @Test(
    "wrong usage exits with 2",
    arguments: [
      ["import"], ["import", "a.csv", "--give-up-after", "0"], ["import", "a.csv", "--resume", "i", "--group", "g"],
      ["orders", "get"], ["orders", "get", "a", "--external-id", "b"], ["orders", "list", "--limit", "0"],
      ["orders", "create", "--external-id", "a"], ["sample-orders", "--count", "-1"], ["nonsense"],
      ["orders", "list", "--server", "h:0"], ["sample-orders", "--count", "1", "--items", "501"],
    ])
  func usage(arguments: [String]) {
    #expect {
      _ = try Comanda.parseAsRoot(arguments)
    } throws: { Comanda.exitCode(for: $0) == .validationFailure }
  }
}
