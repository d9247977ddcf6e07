import ComandaTestRun
import Foundation
import Glibc
import Testing

/// Where the client's results go: files that it must not harm, terminals, pipes, and nowhere.
@Suite("What comanda writes", .timeLimit(.minutes(20)))
struct CommandOutputTests {
  private static let rows = "external_id,item_name,item_total\n1,Tea,300\n2,Tea,x\n"

  private let directory: String
  private let file: String

  init() throws {
    directory = try TestRun.makeDirectory("output")
    file = directory + "/b.csv"
    try Data(Self.rows.utf8).write(to: URL(filePath: file))
  }

  private func newClient(at address: String? = nil) async throws -> CommandLineClient {
    let server = try await Server.shared()
    return try await CommandLineClient(Account.make(on: server), of: server, at: address)
  }

  private func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
  }

  @Test("is never the file that it reads, by whatever name")
  func sameFile() async throws {
    let client = try await newClient()
    try FileManager.default.createSymbolicLink(atPath: directory + "/symbolic.csv", withDestinationPath: "b.csv")
    try FileManager.default.linkItem(atPath: file, toPath: directory + "/hard.csv")
    try FileManager.default.createSymbolicLink(atPath: directory + "/nowhere.csv", withDestinationPath: "missing.csv")
    let before = try names()
    for (input, output) in [
      ("b.csv", "b.csv"), ("b.csv", "./../\(URL(filePath: directory).lastPathComponent)/b.csv"),
      ("b.csv", "symbolic.csv"), ("symbolic.csv", "b.csv"), ("b.csv", "hard.csv"), ("missing.csv", "missing.csv"),
      ("missing.csv", "nowhere.csv"),
    ] {
      let process = try await client.run(["import", "\(directory)/\(input)", "--failures", "\(directory)/\(output)"])
      #expect(process.ended == .exit(2), "\(input), \(output): \(process.transcript)")
      #expect(process.errors.contains("is the file to import itself"), "\(process.transcript)")
      #expect(process.errors.split(separator: "\n").count == 1)
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == Self.rows)
    #expect(try names() == before)
    let profile = try await client.run(["import", file, "--failures", client.profile])
    #expect(profile.ended == .exit(2))
    #expect(profile.errors.contains("is the profile itself"), "\(profile.transcript)")
  }

  @Test("is not touched before there is something to write")
  func untouched() async throws {
    let failures = directory + "/failed.csv"
    try Data("of yesterday".utf8).write(to: URL(filePath: failures))
    let before = try names()
    let client = try await newClient(at: "127.0.0.1:1")
    let away = try await client.run(["import", file, "--failures", failures])
    #expect(away.ended == .exit(1))
    let missing = try await client.run(["import", directory + "/none.csv", "--failures", failures])
    #expect(missing.ended == .exit(1))
    let unknown = try await newClient().run(["imports", "get", UUID().uuidString, "--failures", failures])
    #expect(unknown.ended == .exit(1))
    #expect(try String(contentsOfFile: failures, encoding: .utf8) == "of yesterday")
    #expect(try names() == before)
  }

  @Test("replaces the failed rows of yesterday, and says how to get them when that cannot be")
  func failures() async throws {
    let client = try await newClient()
    let failures = directory + "/failed.csv"
    try Data("of yesterday".utf8).write(to: URL(filePath: failures))
    let process = try await client.run(["import", file, "--failures", failures])
    #expect(process.ended == .exit(3), "\(process.transcript)")
    let written = try String(contentsOfFile: failures, encoding: .utf8)
    #expect(written.split(separator: "\n").count == 2)
    #expect(try names() == ["b.csv", "failed.csv"])

    let full = try await client.run(["import", file, "--failures", "/dev/full"])
    #expect(full.ended == .exit(1), "\(full.transcript)")
    #expect(full.errors.contains("cannot write the failed rows to /dev/full: No space left on device"))
    let command = try #require(full.errors.split(separator: "\n").last).split(separator: " ").map { String($0) }
    #expect(command.prefix(3) == ["comanda", "imports", "get"], "\(full.transcript)")
    let again = try await client.run(Array(command.dropFirst().dropLast(2)) + ["--failures", failures])
    #expect(again.ended == .exit(0), "\(again.transcript)")
    #expect(try String(contentsOfFile: failures, encoding: .utf8) == written)
  }

  @Test("does not get into a file or a connection when standard output and error are closed")
  func closedStreams() async throws {
    let client = try await newClient()
    let failures = directory + "/failed.csv"
    let whole = try await client.run(["import", file, "--failures", failures])
    #expect(whole.ended == .exit(3), "\(whole.transcript)")
    let expected = try Data(contentsOf: URL(filePath: failures))
    let process = try client.start(["import", file, "--failures", failures], redirection: "<&- >&- 2>&-")
    #expect(try await process.awaitEnd() == .exit(3))
    #expect(try Data(contentsOf: URL(filePath: failures)) == expected)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == Self.rows)
    #expect(try await client.start(["orders", "stats"], redirection: ">&-").awaitEnd() == .exit(0))
  }

  @Test("goes on in a server whose standard output and error are closed, and they are nobody else's")
  func closedStreamsOfServer() async throws {
    let data = directory + "/data"
    let program = try Program.path("comanda-server")
    let server = try ChildProcess(
      "sh", ["-c", #"exec "$0" "$@" <&- >&- 2>&-"#, program, "--embedded", data, "--listen", "127.0.0.1:0"])
    try await eventually("the server writes its profile") {
      if let end = server.ended { throw HarnessError("the server ended with \(end)") }
      return FileManager.default.fileExists(atPath: data + "/client.json")
    }
    for descriptor in 0...2 {
      let path = "/proc/\(server.pid)/fd/\(descriptor)"
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: path) == "/dev/null")
    }
    server.kill(SIGTERM)
    #expect(try await server.awaitEnd() == .exit(0))
  }

  @Test("ends a command quietly when its reader has gone, as any filter ends")
  func readerGone() async throws {
    let client = try await newClient()
    let process = try ChildProcess(
      "sh",
      [
        "-c", #"{ "$0" "$@"; echo "ended with $?" >&2; } | head -1"#, Program.path("comanda"), "sample-orders",
        "--count", "100000",
      ])
    _ = try await process.awaitEnd()
    #expect(process.output.split(separator: "\n").count == 1)
    #expect(process.errors == "ended with 141\n")
    let full = try await client.start(["orders", "stats"], redirection: ">/dev/full").finished()
    #expect(full.ended == .exit(1))
    #expect(full.errors == "comanda: cannot write the result: No space left on device\n")
  }

  @Test("fits a terminal, without cutting an id")
  func terminal() async throws {
    let client = try await newClient()
    let name = "注文" + String(repeating: "とても長い名前", count: 8) + ".csv"
    let long = "\(directory)/\(name)"
    try FileManager.default.copyItem(atPath: file, toPath: long)
    let summary = try await client.run(["import", long, "--json"])
    #expect(summary.ended == .exit(3), "\(summary.transcript)")
    let imported: ComandaIntegrationTests.ImportSummary = try summary.json()

    for columns in [80, 120] as [UInt16] {
      let terminal = try Terminal(columns: columns)
      let process = try client.start(["imports", "list"], redirection: ">\(terminal.path)")
      #expect(try await process.awaitEnd() == .exit(0), "\(process.transcript)")
      let lines = terminal.lines()
      #expect(lines.count == 2, "\(lines)")
      // A Japanese character takes two columns, and three bytes.
      for line in lines { #expect(line.unicodeScalars.reduce(0) { $0 + ($1.value > 0x3000 ? 2 : 1) } <= Int(columns)) }
      #expect(lines.last?.hasPrefix(imported.importID + "  COMPLETED") == true, "\(lines)")
      #expect(lines.last?.hasSuffix("…") == true, "\(lines)")
      #expect(process.errors.contains("left out for want of room: CREATED AT (UTC)") == (columns == 80))
    }
    let piped = try await client.run(["imports", "list"])
    #expect(piped.output.contains(name))
    #expect(piped.output.contains("CREATED AT (UTC)"))
    #expect(piped.errors.isEmpty)
  }
}
