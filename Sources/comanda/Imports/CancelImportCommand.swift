import ArgumentParser
import ComandaProtos
import FoundationEssentials

/// `comanda imports cancel`
struct CancelImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel",
    abstract: "End an import: rows that are applied stay orders, the others never become any.",
    discussion: "Example: comanda imports cancel 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11")

  @Argument(help: "The import.")
  var importID: String

  @Flag(help: "Print the import as a JSON object.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    let request = Comanda_V1_CancelImportRequest.with {
      $0.requestID = UUID().uuidString
      $0.importID = importID
    }
    let canceled = try await connection.withClient { try await $0.imports.cancelImport(request) }
    try ImportText.write(canceled, json: json)
  }
}
