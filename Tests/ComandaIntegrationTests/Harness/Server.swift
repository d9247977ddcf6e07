import ComandaEmbeddedPostgres
import ComandaTLS
import ComandaTestRun
import ComandaTransport
import Foundation
import Glibc
import Synchronization

/// `comanda-server` with a private PostgreSQL in a directory of its own.
final class Server: Sendable {
  /// The line that says that it serves.
  struct ReadyLine: Decodable {
    let event: String
    let listen: String
    let profile: String
  }

  /// Where its data is.
  let directory: String
  /// Where it listens; the same after a restart.
  let address: String
  private let process: Mutex<ChildProcess>

  private init(directory: String, address: String, process: ChildProcess) {
    self.directory = directory
    self.address = address
    self.process = Mutex(process)
  }

  /// Starts a server with nothing in its database but the demonstration business.
  ///
  /// - Parameter environment: added to the process's own; its database inherits nothing.
  static func start(environment: (_ directory: String) -> [String: String] = { _ in [:] }) async throws -> Server {
    let directory = try TestRun.makeDirectory("server")
    let (process, ready) = try await launch(directory, listen: "127.0.0.1:0", environment: environment(directory))
    return Server(directory: directory, address: ready.listen, process: process)
  }

  /// Lends a server of the caller's own, and stops it.
  static func withOwn<Result>(
    environment: (_ directory: String) -> [String: String] = { _ in [:] }, _ body: (Server) async throws -> Result
  ) async throws -> Result {
    let server = try await start(environment: environment)
    do {
      let result = try await body(server)
      try await server.stop()
      return result
    } catch {
      try? await server.stop()
      throw error
    }
  }

  /// A server that all tests share which do it no harm; it goes with the test process.
  static func shared() async throws -> Server {
    try await sharedServer.value
  }

  private static let sharedServer = Task { try await start() }

  private static func launch(
    _ directory: String, listen: String, environment: [String: String] = [:]
  ) async throws -> (ChildProcess, ReadyLine) {
    let process = try ChildProcess(
      Program.path("comanda-server"), ["--embedded", directory, "--listen", listen], environment: environment)
    let ready = try await eventually(
      "the server is ready", within: .seconds(120), explain: { process.transcript }
    ) { () throws -> ReadyLine? in
      if let end = process.ended { throw HarnessError("the server ended with \(end)\n\(process.transcript)") }
      guard process.output.hasSuffix("\n") else { return nil }
      return try JSONDecoder().decode(ReadyLine.self, from: Data(process.output.utf8))
    }
    return (process, ready)
  }

  /// Starts it again, at the same address and with the same data.
  func restart() async throws {
    let (process, _) = try await Self.launch(directory, listen: address)
    self.process.withLock { $0 = process }
  }

  /// Kills it, as a crash would.
  func kill() async throws {
    let process = current
    process.kill(SIGKILL)
    _ = try await process.awaitEnd()
  }

  /// Asks it to stop; it goes on until it has drained.
  func terminate() {
    current.kill(SIGTERM)
  }

  /// Waits for the end of a server that was asked to stop.
  func awaitEnd() async throws -> ChildProcess.End {
    try await current.awaitEnd()
  }

  /// Stops it and its database, whether it runs or was killed.
  func stop() async throws {
    if current.ended != nil {
      guard databaseURL != nil else { return }
      try await restart()
    }
    terminate()
    _ = try await awaitEnd()
  }

  private var current: ChildProcess { process.withLock(\.self) }

  /// What it has logged since its last start.
  var log: String { current.errors }

  /// Whether it runs.
  var isRunning: Bool { current.ended == nil }

  /// Where its database is; nil when that does not run.
  var databaseURL: String? { EmbeddedPostgres.connectionURL(ofRunning: directory) }

  /// The process number of its PostgreSQL; nil when that does not run.
  var postmaster: pid_t? {
    guard databaseURL != nil else { return nil }
    let file = try? String(contentsOfFile: directory + "/postgres/postmaster.pid", encoding: .utf8)
    return file?.split(separator: "\n").first.flatMap { pid_t($0) }
  }

  /// Runs one of its administrative commands on the same database; returns its line of JSON.
  func administer<Line: Decodable>(_ arguments: [String], as line: Line.Type = Line.self) async throws -> Line {
    let (end, process) = try await run(
      Program.path("comanda-server"), arguments + ["--embedded", directory])
    guard end == .exit(0) else { throw HarnessError("\(arguments) ended with \(end)\n\(process.transcript)") }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Line.self, from: Data(process.output.utf8))
  }

  /// The port of the address.
  var port: Int {
    address.split(separator: ":").last.flatMap { Int($0) } ?? 0
  }

  /// The authority that signed its certificate.
  var authority: String { directory + "/tls/ca.pem" }

  /// Lends calls to it, with this token or with none.
  func withChannel<Result>(
    token: String? = nil, _ body: (ClientChannel) async throws -> Result
  ) async throws -> Result {
    try await ClientChannel.with(
      .init(host: "127.0.0.1", port: port), trust: .authorities(.file(authority)), token: token, body)
  }
}
