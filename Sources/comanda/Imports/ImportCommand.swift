import ArgumentParser
import ComandaClient
import ComandaImportFiles
import ComandaProtos

/// `comanda import`
struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Import the orders of a CSV or TSV file.",
    discussion: """
      The first line names the columns; consecutive lines with the same order id are one order of several items. The \
      file is streamed. After a lost connection or a restart of the server the import goes on by itself; after an \
      interruption --resume goes on. Each order counts exactly once.

      Columns are found by their names. Where those say something else, --columns says FIELD=COLUMN for each column \
      that counts. Fields: \(ImportField.allCases.map(\.rawValue).joined(separator: ", ")).

      Example: comanda import orders.csv
               comanda import orders.tsv --currency USD \\
                 --columns external_id=order_id,item.name=product,item.total=price
               comanda import orders.csv --json --failures failed.csv

      Exit codes: 0 all rows are orders, 3 some rows are none, 1 not done or not to its end, 2 wrong usage, 130 \
      interrupted (Ctrl-C), 143 ended (SIGTERM).
      """)

  @Argument(help: "The file.", completion: .file(extensions: ["csv", "tsv"]))
  var file: String

  @Option(help: ArgumentHelp("Which column is what.", valueName: "field=column,…"))
  var columns: String?

  @Option(help: ArgumentHelp("The currency of orders that name none, an ISO 4217 code.", valueName: "code"))
  var currency = CurrencyArgument(.yen)

  @Option(help: ArgumentHelp("How cells are separated (default: what the file looks like).", valueName: "delimiter"))
  var delimiter: Dialect.Delimiter?

  @Option(
    help: ArgumentHelp(
      "How decimals are marked (default: comma where cells are separated by semicolons).", valueName: "mark"))
  var decimals: NumberFormat?

  @Option(help: ArgumentHelp("How orders are paid that do not say it.", valueName: "method"))
  var paymentMethod: Named<Comanda_V1_PaymentMethod>?

  @Option(help: ArgumentHelp("How customers are told whose orders do not say it.", valueName: "channel"))
  var notificationChannel: Named<Comanda_V1_NotificationChannel>?

  @Option(help: ArgumentHelp("A label to find several imports by.", valueName: "label"))
  var group: String?

  @Option(help: ArgumentHelp("Go on with this import of the same file.", valueName: "import-id"))
  var resume: String?

  @Option(help: ArgumentHelp("Give up when nothing has moved for so long.", valueName: "seconds"))
  var giveUpAfter = 120

  @OptionGroup(title: "Failed rows")
  var failed: FailureOptions

  @Flag(
    help: """
      Print one JSON object: import_id, rows, applied, unchanged, failed, unprocessed, seconds; when the import was \
      begun and not finished: import_id, state, committed_row, resume (the command that goes on).
      """)
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func validate() throws {
    guard (1...86_400).contains(giveUpAfter) else { throw ValidationError("--give-up-after is 1 to 86400 seconds") }
    if resume != nil, group != nil || paymentMethod != nil || notificationChannel != nil {
      throw ValidationError(
        "--group, --payment-method and --notification-channel were said when the import began; leave them out")
    }
  }

  func run() async throws {
    let profile = try connection.resolved()
    let input = OutputDestination.Input(name: "the file to import", path: file)
    let destination = try failed.destination(besides: [input] + connection.files(of: profile))
    try await connection.withClient(profile) { client in
      let display = ProgressDisplay(isUploading: true)
      let finished = try await upload(with: client, display)
      let elapsed = display.elapsed
      display.finish()
      if json {
        try JSONOutput.write(ImportResultJSON(finished, elapsed: elapsed))
      } else {
        StandardOutput.write(ImportSummary(finished.progress).text(elapsed: elapsed) + "\n")
      }
      try await failed.report(
        on: finished.importID, failedRows: finished.progress.failedRows, from: client, to: destination,
        connection: connection
      ) { [json] line in
        if json { StandardError.write(line + "\n") } else { StandardOutput.write(line + "\n") }
      }
      if let status = ImportSummary(finished.progress).status { throw status }
    }
  }

  private func upload(with client: ComandaClient, _ display: ProgressDisplay) async throws -> FinishedImport {
    let uploader = ImportUploader(client.imports, settings: settings)
    let (file, options, resumed) = (orderFile, options, resume)
    do {
      return try await untilInterrupted {
        if let resumed { return try await uploader.resume(resumed, with: file, onEvent: display.show) }
        return try await uploader.run(file, options: options, onEvent: display.show)
      }
    } catch {
      display.finish()
      let resume = resumeCommand(after: error, display.meter)
      if json, error is Interruption || resume != nil {
        try JSONOutput.write(UnfinishedImportJSON(display.meter, resume: resume))
      }
      throw explained(error, display.meter, resume)
    }
  }

  private var orderFile: OrderFile {
    var configuration = OrderFile.Reader.Configuration()
    configuration.columns = columns
    configuration.currency = currency.unit
    configuration.dialect = delimiter.map(Dialect.init(delimiter:))
    configuration.numberFormat = decimals
    return OrderFile(path: file, configuration: configuration)
  }

  private var options: ImportUploader.Options {
    var options = ImportUploader.Options()
    options.group = group ?? ""
    options.paymentMethod = paymentMethod?.value ?? .unspecified
    options.notificationChannel = notificationChannel?.value ?? .unspecified
    return options
  }

  private var settings: RetrySettings {
    var settings = RetrySettings()
    settings.patience = .seconds(giveUpAfter)
    return settings
  }

  /// The command that goes on; nil when there is nothing to go on with.
  private func resumeCommand(after error: any Error, _ meter: ProgressMeter) -> String? {
    guard let importID = meter.importID else { return nil }
    if case .faulted? = error as? ImportFailure { return ResumeCommand.resuming(importID, connection) }
    if meter.isUploaded { return ResumeCommand.watching(importID, connection) }
    let isResumable = (error as? ImportFailure)?.isResumable ?? true
    return isResumable ? ResumeCommand.importing(importID, self) : nil
  }

  /// An error with what is done already, and with the command that goes on.
  private func explained(_ error: any Error, _ meter: ProgressMeter, _ resume: String?) -> any Error {
    let interruption = error as? Interruption
    let error = Self.located(error, file)
    guard let importID = meter.importID else {
      return interruption.map { CommandFailure("interrupted; nothing was imported", status: $0.status) } ?? error
    }
    var failure =
      interruption.map { CommandFailure("interrupted", status: $0.status) }
      ?? CommandFailure(error) ?? CommandFailure("\(error)")
    failure.hints += hints(after: error, importID, meter, resume)
    return failure
  }

  /// What is with the server, and the command that goes on with it.
  private func hints(after error: any Error, _ importID: String, _ meter: ProgressMeter, _ resume: String?) -> [String]
  {
    let committed = "\(NumberText.grouped(meter.committed)) rows are with the server"
    switch (error as? ImportFailure, resume) {
    case (.faulted, let resume?): return ["\(committed); when the cause is mended, go on with:", resume]
    case (_, let resume?) where meter.isUploaded:
      return ["all rows are with the server, which goes on applying them; follow it with:", resume]
    case (_, let resume?): return ["\(committed); go on with:", resume]
    case (.fileChanged, nil), (.fileDiffers, nil):
      return [
        "\(committed), and import \(importID) stays unfinished; end it with:",
        ResumeCommand.canceling(importID, connection),
      ]
    case (_, nil): return []
    }
  }

  /// Says of which file, or which option, an error speaks, where it does not by itself.
  private static func located(_ error: any Error, _ path: String) -> any Error {
    switch error {
    case OrderFileError.cannotRead(path: "-", _):
      CommandFailure(
        "standard input cannot be imported: an import reads its file more than once; save it, and name the file",
        status: .usage)
    case OrderFileError.cannotRead, OrderFileError.notRegular: error
    case let error as OrderFileError:
      CommandFailure(error).map {
        CommandFailure("\($0.status == .usage ? "--columns" : path): \($0.message)", status: $0.status)
      } ?? error
    default: error
    }
  }
}
