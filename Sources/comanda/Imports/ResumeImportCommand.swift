import ArgumentParser
import ComandaProtos
import FoundationEssentials

/// `comanda imports resume`
struct ResumeImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Set an import going that is paused, or that the server parked after repeated faults.",
    discussion: """
      The rows that are with the server are applied on. Rows that are not there yet come with comanda import --resume.

      Example: comanda imports resume 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11
               comanda imports watch 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11
      """)

  @Argument(help: "The import.")
  var importID: String

  @Flag(help: "Print the import as a JSON object.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    let request = Comanda_V1_ResumeImportRequest.with {
      $0.requestID = UUID().uuidString
      $0.importID = importID
    }
    let resumed = try await connection.withClient { try await $0.imports.resumeImport(request) }
    try ImportText.write(resumed, json: json)
  }
}
