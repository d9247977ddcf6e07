import ArgumentParser
import ComandaClient
import ComandaRPC
import ComandaTLS
import ComandaTransport
import Foundation
import NIOCore

/// The flags that say which server is measured.
struct TargetOptions: ParsableArguments {
  @Option(help: "Profile of the server: address, authority and token.")
  var profile: String?

  @Option(help: "The server, HOST:PORT, instead of --profile.")
  var target: String?

  @Option(help: "Certificate authority, PEM; with --target.")
  var ca: String?

  @Option(help: "The token, with --target; that of serve-echo if none is given.")
  var token: String?

  @Option(help: "The server's process id, on this machine, to measure its processor time and memory.")
  var serverPid: Int32?

  /// A connection to the server, made with its first call.
  func channel() throws -> ClientChannel {
    if let profile {
      return try ClientProfile(path: profile).channel()
    }
    guard let target else { throw ValidationError("give --profile FILE, or --target HOST:PORT and --ca FILE") }
    let endpoint = try Endpoint(target)
    return try ClientChannel(
      target: ClientChannel.Target(host: endpoint.host, port: endpoint.port),
      tls: .client(trust: ca.map { .authorities(.file($0)) } ?? .system), credential: token ?? BenchToken.secret)
  }

  func validate() throws {
    try serverPid.map { try require("--server-pid", Int($0), in: 1...Int(Int32.max)) }
  }

  /// What the server runs on, as it says itself.
  func machine(of channel: ClientChannel) async throws -> Machine {
    let answer = try await channel.unary(
      EchoService(scope: nil).describe, ByteBuffer(), options: CallOptions(timeout: .seconds(30)))
    return try JSONDecoder().decode(Machine.self, from: Data(answer.readableBytesView))
  }

  /// The server's process, if it was named.
  func server() throws -> ServerProcess? {
    try serverPid.map { try ServerProcess($0) }
  }
}
