import ArgumentParser
import CLinux
import Foundation

/// `comanda-server`: serves the order platform, and administers its businesses and tokens.
@main
struct ComandaServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "comanda-server",
    abstract: "Serves the Comanda order platform.",
    discussion: """
      Example: comanda-server --embedded ./comanda-data
      runs a private PostgreSQL under ./comanda-data, makes a development certificate and a demonstration business, and
      writes ./comanda-data/client.json for the `comanda` command.

      Exit codes: 0 stopped as asked, 1 failed, 2 wrong usage or configuration.
      """,
    version: "0.1.0",
    subcommands: [Serve.self, BusinessCommands.self, TokenCommands.self, LimitsCommand.self],
    defaultSubcommand: Serve.self)

  static func main() async {
    comanda_open_standard_descriptors()
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      Exit.end(with: error, of: Self.self)
    }
  }
}
