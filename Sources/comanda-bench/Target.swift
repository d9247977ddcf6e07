import ArgumentParser
import ComandaClient
import ComandaRPC
import ComandaTLS
import ComandaTransport

/// The flags that say which server is measured.
struct TargetOptions: ParsableArguments {
  @Option(help: "Profile of the server: address, authority and token.")
  var profile: String?

  @Option(help: "The server, HOST:PORT, instead of --profile.")
  var target: String?

  @Option(help: "Certificate authority, PEM; with --target.")
  var ca: String?

  @Option(help: "The token; with --target.")
  var token: String?

  @Option(help: "The server's process, on this machine, to measure its processor time and memory.")
  var serverPid: Int32?

  /// A connection to the server, made with its first call.
  func channel() throws -> ClientChannel {
    if let profile {
      let profile = try ClientProfile(path: profile)
      return try channel(profile.server.host, profile.server.port, profile.authorityPath, profile.token)
    }
    guard let target else { throw ValidationError("give --profile FILE, or --target HOST:PORT and --ca FILE") }
    let endpoint = try Endpoint(target)
    return try channel(endpoint.host, endpoint.port, ca, token)
  }

  private func channel(_ host: String, _ port: Int, _ authority: String?, _ token: String?) throws -> ClientChannel {
    try ClientChannel(
      target: ClientChannel.Target(host: host, port: port),
      tls: .client(trust: authority.map { .authorities(.file($0)) } ?? .system), credential: token)
  }

  /// The server's process, if it was named.
  func server() throws -> ServerProcess? {
    try serverPid.map { try ServerProcess($0) }
  }
}
