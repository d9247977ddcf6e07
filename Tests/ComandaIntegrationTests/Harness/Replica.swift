import ComandaClient
import Foundation
import Glibc
import Synchronization

/// One of several `comanda-server` processes on the same database: that of another server, which only lends it.
final class Replica: Sendable {
  private struct ReadyLine: Decodable {
    let listen: String
  }

  /// Where it listens; the same after a restart.
  let address: String
  private let arguments: [String]
  private let process: Mutex<ChildProcess>

  /// Starts a server on the database, and with the certificate, of another one.
  ///
  /// - Parameter drainTimeout: how long calls may go on once it is told to stop, in seconds.
  static func start(beside server: Server, drainTimeout: Int = 20) async throws -> Replica {
    guard let url = server.databaseURL else { throw HarnessError("the server's database does not run\n\(server.log)") }
    let arguments = [
      "--database-url", url, "--tls-cert", server.directory + "/tls/server.pem", "--tls-key",
      server.directory + "/tls/server.key", "--limit", "drain-timeout=\(drainTimeout)s",
    ]
    let (process, address) = try await launch(arguments, listen: "127.0.0.1:0")
    return Replica(address: address, arguments: arguments, process: process)
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

  /// Starts it again, at the same address.
  func restart() async throws {
    let (process, _) = try await Self.launch(arguments, listen: address)
    self.process.withLock { $0 = process }
  }
}
