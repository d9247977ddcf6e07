import ArgumentParser
import ComandaClient
import ComandaConformance
import ComandaTLS
import Foundation

/// `comanda-conformance server`
struct TestServer: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Tests a server.",
    discussion: """
      Cases that need a service that the server does not have are skipped.

      Example: comanda-conformance server --target 127.0.0.1:7443 --ca ca.pem
      """)

  @Option(help: "The server's profile, as comanda-server writes it.")
  var profile: String?

  @Option(help: "The server, HOST:PORT.")
  var target: String?

  @Option(help: "Certificate authority, PEM; by default those of the system.")
  var ca: String?

  @Option(help: "The token to send on each connection.")
  var token: String?

  @Option(help: "Cases that run at a time.")
  var jobs = 8

  @OptionGroup var options: CaseOptions

  func validate() throws {
    guard options.list || (profile == nil) != (target == nil) else {
      throw ValidationError("name the server, by --profile FILE or by --target HOST:PORT --ca FILE")
    }
  }

  func run() async throws {
    let cases = try options.selected(.server)
    if options.list { return options.printList(cases) }
    let suite = try await ServerSuite(server(), patience: options.patience)
    try await options.report(.server, cases) { cases, report in
      await suite.run(cases, atATime: jobs, report: report)
    }
  }

  private func server() throws -> ServerTarget {
    let known: ClientProfile
    if let profile {
      known = try ClientProfile(path: profile)
    } else {
      guard let address = target.flatMap(ServerAddress.init) else {
        throw ValidationError("'\(target ?? "")' is not of the form HOST:PORT")
      }
      known = ClientProfile(servers: [address], authorityPath: ca, token: token)
    }
    guard case .host(let host, let port)? = known.servers.first?.location else {
      throw ValidationError("the suite reaches a server by HOST:PORT only; the profile's first is another address")
    }
    return ServerTarget(
      host: host, port: port,
      trust: known.authorityPath.map { .authorities(.file($0)) } ?? .system, token: token ?? known.token)
  }
}
