import ComandaTLS
import ComandaTransport

extension ClientChannel {
  /// Lends calls to a server, with this token or with none.
  static func with<Result>(
    _ target: Target, trust: TLSConfiguration.Trust, token: String?, _ body: (ClientChannel) async throws -> Result
  ) async throws -> Result {
    let channel = try ClientChannel(
      target: target, tls: .client(trust: trust), credential: token, interceptors: [Patience()])
    do {
      let result = try await body(channel)
      try await channel.close()
      return result
    } catch {
      try? await channel.close()
      throw error
    }
  }
}

extension ClientChannel.Target {
  /// Where a server says that it listens: `127.0.0.1:7443`, `unix:/run/comanda.sock`.
  init(address: String) throws {
    let parts = address.split(separator: ":")
    guard parts.count == 2 else { throw HarnessError("\(address) is no address that tests know") }
    if parts[0] == "unix" {
      self.init(unixSocket: String(parts[1]), serverName: "localhost")
    } else {
      guard let port = Int(parts[1]) else { throw HarnessError("\(address) has no port") }
      self.init(host: String(parts[0]), port: port)
    }
  }
}
