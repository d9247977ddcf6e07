import Foundation
import Testing

@Suite("comanda-conformance")
struct CommandTests {
  /// Runs the program on a thread of its own: waiting for it must not hold up the tests beside this one.
  private func run(_ arguments: String...) async throws -> (exitCode: Int32, output: String) {
    let program = try Place.program()
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try Self.run(program, arguments) })
      }
    }
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> (exitCode: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, printed)
  }

  @Test("--list prints the cases, and --help an example")
  func list() async throws {
    let list = try await run("server", "--list", "--filter", "first-frame", "--cases", Place.cases.path)
    #expect(list.exitCode == 0)
    #expect(list.output.hasSuffix("cases\n"))
    #expect(list.output.contains("server.connection.first-frame-ping — "))
    let help = try await run("--help")
    #expect(help.exitCode == 0)
    #expect(help.output.contains("Example: comanda-conformance server --profile"))
  }

  @Test("wrong usage, and a server or a client that cannot be reached, end with exit code 2 and say why")
  func usage() async throws {
    try await withTemporaryFolder { folder in
      let cases = Place.cases.path
      #expect(try await run("server").exitCode == 2)
      #expect(try await run("client", "--cases", cases).output.contains("name the client's command"))
      #expect(try await run("server", "--target", "here", "--cases", cases).exitCode == 2)
      #expect(try await run("server", "--target", "127.0.0.1:1", "--cases", "\(folder)/none").exitCode == 2)
      let unreachable = try await run("server", "--target", "127.0.0.1:1", "--cases", cases)
      #expect(unreachable.exitCode == 2)
      #expect(unreachable.output.hasPrefix("comanda-conformance: "))
      let nothing = try await run("server", "--target", "127.0.0.1:1", "--filter", "nothing", "--cases", cases)
      #expect(nothing.exitCode == 2)
    }
  }

  @Test("a run prints a line for each case and the sum, writes JUnit, and ends with 1 when one failed")
  func clientRun() async throws {
    try await withTemporaryFolder { folder in
      let (junit, known) = ("\(folder)/junit.xml", "\(folder)/known")
      let ping = "client.wire.ping-twenty"
      let passing = try await run(
        "client", "--cases", Place.cases.path, "--filter", ping, "--junit", junit, "--", Place.program(), "swift-client"
      )
      #expect(passing.exitCode == 0)
      #expect(passing.output.contains("ok      \(ping) — "))
      #expect(passing.output.hasSuffix("\n1 passed, 0 failed\n"))
      #expect(try String(contentsOfFile: junit, encoding: .utf8).contains("tests=\"1\" failures=\"0\""))

      try "\(ping) it was broken\n".write(toFile: known, atomically: true, encoding: .utf8)
      let unexpected = try await run(
        "client", "--cases", Place.cases.path, "--filter", ping, "--known-failures", known, "--", Place.program(),
        "swift-client")
      #expect(unexpected.exitCode == 1)
      #expect(unexpected.output.hasSuffix("\n0 passed, 1 failed\n"))

      let failing = try await run(
        "client", "--cases", Place.cases.path, "--filter", ping, "--json", "--", "sh", "-c", "exit 0")
      #expect(failing.exitCode == 1)
      #expect(failing.output.contains(#""outcome":"failed""#))
    }
  }
}
