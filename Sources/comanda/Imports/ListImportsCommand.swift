import ArgumentParser
import ComandaProtos

/// `comanda imports list`
struct ListImportsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List imports, the newest first.",
    discussion: """
      Example: comanda imports list --state receiving
               comanda imports list --limit 10 --json
      """)

  @Option(help: ArgumentHelp("In this state; repeat for more.", valueName: "state"))
  var state: [Named<Comanda_V1_ImportState>] = []

  @Option(help: ArgumentHelp("With this label.", valueName: "label"))
  var group: String?

  @OptionGroup
  var page: PageOptions

  @Flag(help: "Print one JSON object: imports, next_page_token.")
  var json = false

  @OptionGroup(title: "Server")
  var connection: ConnectionOptions

  func run() async throws {
    let (found, next) = try await connection.withClient { client in
      try await page.gather { size, token in
        let response = try await client.imports.listImports(
          .with {
            $0.states = state.map(\.value)
            $0.group = group ?? ""
            $0.pageSize = size
            $0.pageToken = token
          })
        return (response.imports, response.nextPageToken)
      }
    }
    if json {
      try JSONOutput.write(ImportListJSON(imports: found.map(ImportJSON.init), nextPageToken: next))
    } else {
      Self.table(of: found).print()
      PageOptions.note(next)
    }
  }

  private static func table(of imports: [Comanda_V1_Import]) -> Table {
    var table = Table([
      Table.Column(title: "IMPORT"), Table.Column(title: "STATE"),
      Table.Column(title: "CREATED AT (UTC)", fit: .dispensable(1)), Table.Column(title: "ROWS", alignment: .right),
      Table.Column(title: "APPLIED", alignment: .right, fit: .dispensable(2)),
      Table.Column(title: "UNCHANGED", alignment: .right, fit: .dispensable(3)),
      Table.Column(title: "FAILED", alignment: .right), Table.Column(title: "SOURCE", fit: .shortened),
    ])
    for found in imports {
      let progress = found.progress
      table.append(
        [found.importID, progress.state.schemaName, TimeText.table(found.createdAt)]
          + [progress.committedRow, progress.appliedRows, progress.unchangedRows, progress.failedRows]
          .map(NumberText.grouped) + [found.spec.sourceName])
    }
    return table
  }
}
