import ArgumentParser
import CLinux
import Glibc

/// `comanda`: the command line of the order platform.
@main
struct Comanda: AsyncParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "comanda",
    abstract: "Imports orders in bulk, and looks after them.",
    discussion: """
      The server is named by --profile FILE (the client.json that `comanda-server --embedded` writes), by the \
      environment variable COMANDA_PROFILE, or by --server, --ca and --token.

      Example: comanda sample-orders --count 1000 > orders.csv
               comanda import orders.csv --profile comanda-data/client.json
               comanda orders stats --profile comanda-data/client.json

      Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 not done, 2 wrong usage, 3 some rows of \
      an import are no orders, 130 interrupted (Ctrl-C), 143 ended (SIGTERM).
      """,
    version: version,
    subcommands: [ImportCommand.self, OrdersCommand.self, ImportsCommand.self, SampleOrdersCommand.self])

  static func main() async {
    comanda_open_standard_descriptors()
    do {
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      end(with: error)
    }
  }

  /// Says on stderr what went wrong, and ends with the exit code that goes with it.
  private static func end(with error: any Error) -> Never {
    if let status = error as? CommandStatus { Glibc.exit(status.rawValue) }
    if let failure = CommandFailure(error) {
      StandardError.write("\(failure)\n")
      Glibc.exit(failure.status.rawValue)
    }
    switch exitCode(for: error) {
    case .success:
      StandardOutput.write(fullMessage(for: error) + "\n")
      Glibc.exit(0)
    case .validationFailure:
      StandardError.write(fullMessage(for: error) + "\n")
      Glibc.exit(CommandStatus.usage.rawValue)
    default:
      StandardError.write("comanda: \(Printable(error))\n")
      Glibc.exit(CommandStatus.failed.rawValue)
    }
  }
}
