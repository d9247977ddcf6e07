import ComandaTLS
import ComandaTransport
import Foundation
import Glibc
import Synchronization
import Testing

/// One of several `comanda-server` processes on the same database: that of another server, which only lends it.
final class Replica: Sendable {
  private struct ReadyLine: Decodable {
    let listen: String
  }

  /// Where it listens; the same after a restart.
  let address: String
  private let arguments: [String]
  private let process: Mutex<ChildProcess>

  /// Starts a server on the database of another one.
  ///
  /// - Parameters:
  ///   - certificate: its certificate's file; that of the other server when nil, as with `key`.
  ///   - listen: where it listens.
  ///   - drainTimeout: how long calls may go on once it is told to stop, in seconds.
  static func start(
    beside server: Server, certificate: String? = nil, key: String? = nil, listen: String = "127.0.0.1:0",
    drainTimeout: Int = 20
  ) async throws -> Replica {
    let arguments =
      try arguments(beside: server, certificate: certificate, key: key)
      + ["--limit", "drain-timeout=\(drainTimeout)s"]
    let (process, address) = try await launch(arguments, listen: listen)
    return Replica(address: address, arguments: arguments, process: process)
  }

  private static func arguments(beside server: Server, certificate: String?, key: String?) throws -> [String] {
    guard let url = server.databaseURL else { throw HarnessError("the server's database does not run\n\(server.log)") }
    return [
      "--database-url", url, "--tls-cert", certificate ?? server.directory + "/tls/server.pem", "--tls-key",
      key ?? server.directory + "/tls/server.key",
    ]
  }

  /// Runs such a server to its end, which it has to find by itself.
  static func run(
    beside server: Server, listen: String
  ) async throws -> (end: ChildProcess.End, process: ChildProcess) {
    try await ComandaIntegrationTests.run(
      Program.path("comanda-server"),
      arguments(beside: server, certificate: nil, key: nil) + ["--listen", listen], within: .seconds(30))
  }

  /// Lends such a server, then stops it: it must end well.
  static func with<Result>(
    _ server: Server, certificate: String? = nil, key: String? = nil, listen: String = "127.0.0.1:0",
    _ body: (Replica) async throws -> Result
  ) async throws -> Result {
    let replica = try await start(beside: server, certificate: certificate, key: key, listen: listen)
    do {
      let result = try await body(replica)
      replica.signal(SIGTERM)
      let end = try await replica.awaitEnd()
      #expect(end == .exit(0), "\(replica.log)")
      return result
    } catch {
      replica.signal(SIGKILL)
      throw HarnessError("\(error)\n\(replica.log)")
    }
  }

  private init(address: String, arguments: [String], process: ChildProcess) {
    self.address = address
    self.arguments = arguments
    self.process = Mutex(process)
  }

  private static func launch(_ arguments: [String], listen: String) async throws -> (ChildProcess, String) {
    let process = try ChildProcess(Program.path("comanda-server"), arguments + ["--listen", listen])
    let ready = try await eventually(
      "the replica is ready", explain: { process.transcript }
    ) { () throws -> ReadyLine? in
      if let end = process.ended { throw HarnessError("the replica ended with \(end)\n\(process.transcript)") }
      guard process.output.hasSuffix("\n") else { return nil }
      return try JSONDecoder().decode(ReadyLine.self, from: Data(process.output.utf8))
    }
    return (process, ready.listen)
  }

  /// What it has logged since its last start.
  var log: String { process.withLock(\.self).errors }

  /// Sends it a signal.
  func signal(_ signal: Int32) {
    process.withLock(\.self).kill(signal)
  }

  /// Waits for its end.
  func awaitEnd() async throws -> ChildProcess.End {
    try await process.withLock(\.self).awaitEnd()
  }

  /// Has it read its certificate anew, and waits until its log says so, or what was wrong.
  func reload(until message: String) async throws {
    let before = log.split(separator: message).count
    signal(SIGHUP)
    try await eventually("the log says: \(message)", explain: { self.log }) {
      log.split(separator: message).count > before
    }
  }

  /// Lends calls to it, with this token or with none.
  func withChannel<Result>(
    trust: TLSConfiguration.Trust, token: String? = nil, _ body: (ClientChannel) async throws -> Result
  ) async throws -> Result {
    try await ClientChannel.with(.init(address: address), trust: trust, token: token, body)
  }

  /// Starts it again, at the same address.
  func restart() async throws {
    let (process, _) = try await Self.launch(arguments, listen: address)
    self.process.withLock { $0 = process }
  }
}
