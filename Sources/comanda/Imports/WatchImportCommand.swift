import ArgumentParser
import ComandaClient
import ComandaProtos

/// `comanda imports watch`
struct WatchImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch",
    abstract: "Follow an import to its end.",
    discussion: """
      An import whose upload was cut off does not end before somebody goes on with it (comanda import --resume).

      Example: comanda imports watch 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11

      Exit codes: as those of comanda import.
      """)

  @Argument(help: "The import.")
  var importID: String

  @Flag(help: "Print one JSON object at the end, as comanda import does.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    try await connection.withClient { client in
      let display = ProgressDisplay()
      let found = try await client.imports.getImport(.with { $0.importID = importID })
      display.show(.started(ImportStart(importID: importID, progress: found.progress)))
      let finished = try await watch(with: client, display)
      let elapsed = display.elapsed
      display.finish()
      if json {
        try JSONOutput.write(ImportResultJSON(finished, elapsed: elapsed))
      } else {
        StandardOutput.write(ImportSummary(finished.progress).text(elapsed: elapsed) + "\n")
      }
      if let status = ImportSummary(finished.progress).status { throw status }
    }
  }

  private func watch(with client: ComandaClient, _ display: ProgressDisplay) async throws -> FinishedImport {
    let watcher = ImportWatcher(client.imports)
    let importID = self.importID
    do {
      return try await untilInterrupted { try await watcher.watch(importID, onEvent: display.show) }
    } catch {
      display.finish()
      guard let interruption = error as? Interruption else { throw error }
      if json {
        let resume = ResumeCommand.watching(importID, connection)
        try JSONOutput.write(UnfinishedImportJSON(display.meter, resume: resume))
      }
      throw CommandFailure(
        "interrupted; the import goes on without being watched", status: interruption.status)
    }
  }
}
