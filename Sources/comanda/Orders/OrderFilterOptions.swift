import ArgumentParser
import ComandaProtos

/// Which orders to list or to count.
struct OrderFilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("In this status; repeat for more.", valueName: "status"))
  var status: [Named<Comanda_V1_OrderStatus>] = []

  @Option(
    help: ArgumentHelp("Placed at this time or later: 2026-11-21, or 2026-11-21T10:15:00+09:00.", valueName: "time"))
  var since: Moment?

  @Option(help: ArgumentHelp("Placed before this time.", valueName: "time"))
  var until: Moment?

  @Option(name: .customLong("import"), help: ArgumentHelp("Brought by this import.", valueName: "import-id"))
  var importID: String?

  @Option(help: ArgumentHelp("Whose customer's name, phone or e-mail begins like this.", valueName: "text"))
  var customer: String?

  @Option(help: ArgumentHelp("With this text in the id, an item or a note.", valueName: "text"))
  var text: String?

  /// The filter as the services take it.
  var filter: Comanda_V1_OrderFilter {
    .with { filter in
      filter.statuses = status.map(\.value)
      if let since { filter.placedAt.startAt = since.timestamp }
      if let until { filter.placedAt.endAt = until.timestamp }
      filter.importID = importID ?? ""
      filter.customer = customer ?? ""
      filter.text = text ?? ""
    }
  }
}
