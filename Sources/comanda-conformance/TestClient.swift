import ArgumentParser
import ComandaConformance
import Foundation

/// `comanda-conformance client`
struct TestClient: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client",
    abstract: "Tests a client: a command that reads cases from stdin and answers on stdout.",
    discussion: """
      The client meets a real server and, in the other cases, one that misbehaves.

      Example: comanda-conformance client -- comanda-conformance swift-client
      """)

  @Argument(parsing: .postTerminator, help: "The command, with its arguments.")
  var command: [String] = []

  @Option(help: "Processes of the command that run at a time.")
  var jobs = 4

  @OptionGroup var options: CaseOptions

  func validate() throws {
    guard options.list || !command.isEmpty else { throw ValidationError("name the client's command, behind --") }
  }

  func run() async throws {
    let cases = try options.selected(.client)
    if options.list { return options.printList(cases) }
    let folder = FileManager.default.temporaryDirectory.appending(path: "comanda-conformance-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let suite = try await ClientSuite(
      command: command, directory: folder.path, patience: options.patience)
    try await options.report(.client, cases) { cases, report in
      try await suite.run(cases, jobs: jobs, report: report)
    }
  }
}
