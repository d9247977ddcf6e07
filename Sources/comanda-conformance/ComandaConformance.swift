import ArgumentParser
import CLinux
import Foundation

/// `comanda-conformance`: tests servers and clients of the wire protocol.
@main
struct ComandaConformanceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "comanda-conformance",
    abstract: "Tests any server and any client of the wire protocol comanda/1.",
    discussion: """
      Example: comanda-conformance server --profile comanda-data/client.json
               comanda-conformance client -- python3 my_client.py

      proto/CONFORMANCE.md explains the cases, and what a client's program reads and writes.
      Exit codes: 0 all passed, 1 some failed, 2 wrong usage, or the server or client cannot be reached at all.
      """,
    version: "0.1.0",
    subcommands: [TestServer.self, TestClient.self, Serve.self, SwiftClient.self])

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

  private static func end(with error: any Error) -> Never {
    if error is SomeFailed { Foundation.exit(1) }
    guard exitCode(for: error) == .success else {
      let isUsage = exitCode(for: error) == .validationFailure
      let message = isUsage ? fullMessage(for: error) : "comanda-conformance: \(error)"
      try? FileHandle.standardError.write(contentsOf: Data("\(message)\n".utf8))
      Foundation.exit(2)
    }
    exit(withError: error)
  }
}

/// Some cases failed; the report has said which.
struct SomeFailed: Error {}
