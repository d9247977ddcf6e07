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
      let display = ProgressDisplay(isUploading: false)
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

  /// With --json, what is known of an import that has not ended.
  private func write(_ meter: ProgressMeter, resume: String) throws {
    if json { try JSONOutput.write(UnfinishedImportJSON(meter, resume: resume)) }
  }

  private func watch(with client: ComandaClient, _ display: ProgressDisplay) async throws -> FinishedImport {
    let watcher = ImportWatcher(client.imports)
    let importID = self.importID
    do {
      return try await untilInterrupted { try await watcher.watch(importID, onEvent: display.show) }
    } catch {
      display.finish()
      if let interruption = error as? Interruption {
        try write(display.meter, resume: ResumeCommand.watching(importID, connection))
        throw CommandFailure(
          "interrupted; the import goes on without being watched", status: interruption.status)
      }
      if case .faulted? = error as? ImportFailure, var failure = CommandFailure(error) {
        let resume = ResumeCommand.resuming(importID, connection)
        try write(display.meter, resume: resume)
        failure.hints = ["when the cause is mended, go on with:", resume]
        throw failure
      }
      throw error
    }
  }
}
