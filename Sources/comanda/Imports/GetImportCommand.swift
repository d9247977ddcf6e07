import ArgumentParser
import ComandaProtos

/// `comanda imports get`
struct GetImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get",
    abstract: "Print one import and its failed rows.",
    discussion: """
      Example: comanda imports get 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11
               comanda imports get 0199e4b0-7c1e-7e5d-9d55-0a6f3c7d2b11 \\
                 --failures failed.csv
      """)

  @Argument(help: "The import.")
  var importID: String

  @OptionGroup(title: "Failed rows")
  var failed: FailureOptions

  @Flag(help: "Print the import as a JSON object.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    let profile = try connection.resolved()
    let destination = try failed.destination(besides: connection.files(of: profile))
    try await connection.withClient(profile) { client in
      let found = try await client.imports.getImport(.with { $0.importID = importID })
      try ImportText.write(found, json: json)
      try await failed.report(
        on: importID, failedRows: found.progress.failedRows, from: client, to: destination,
        connection: connection
      ) { [json] line in
        if json { StandardError.write(line + "\n") } else { StandardOutput.write(line + "\n") }
      }
    }
  }
}

/// One import as text.
enum ImportText {
  static func write(_ value: Comanda_V1_Import, json: Bool) throws {
    if json {
      try JSONOutput.write(ImportJSON(value))
    } else {
      StandardOutput.write(text(of: value))
    }
  }

  private static func text(of found: Comanda_V1_Import) -> String {
    let progress = found.progress
    var table = Table([Table.Column(title: ""), Table.Column(title: "")])
    table.append(["import", found.importID])
    table.append(["source", found.spec.sourceName])
    if !found.spec.group.isEmpty { table.append(["group", found.spec.group]) }
    table.append(["state", progress.state.schemaName])
    table.append(["created at", TimeText.json(found.createdAt)])
    if found.hasEndedAt { table.append(["ended at", TimeText.json(found.endedAt)]) }
    if progress.totalRows > 0 {
      table.append(["rows", (found.hasSealedAt ? "" : "about ") + NumberText.grouped(progress.totalRows)])
    }
    let counts: [(String, Int64)] = [
      ("received", progress.committedRow), ("applied", progress.appliedRows), ("unchanged", progress.unchangedRows),
      ("failed", progress.failedRows), ("unprocessed", progress.unprocessedRows),
    ]
    for (name, count) in counts { table.append([name, NumberText.grouped(count)]) }
    return table.text()
  }
}
