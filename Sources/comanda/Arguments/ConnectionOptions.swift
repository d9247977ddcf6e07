import ArgumentParser
import ComandaClient
import FoundationEssentials

/// Which server, and as whom.
struct ConnectionOptions: ParsableArguments {
  /// The environment variable that names a profile.
  static let profileVariable = "COMANDA_PROFILE"

  @Option(
    help: ArgumentHelp(
      "A client.json: {\"server\" or \"servers\", \"ca\", \"token\"} (default: $\(ConnectionOptions.profileVariable)).",
      valueName: "file"))
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "A server's address instead of the profile's; may be repeated. unix:/path for a Unix socket.",
      valueName: "host:port"))
  var server: [String] = []

  @Option(
    help: ArgumentHelp("Certificate authorities to trust, PEM, instead of the profile's.", valueName: "file"))
  var ca: String?

  @Option(help: ArgumentHelp("The bearer token instead of the profile's.", valueName: "token"))
  var token: String?

  func validate() throws {
    if server.contains(where: { ServerAddress($0) == nil }) {
      throw ValidationError("--server is host:port, such as 127.0.0.1:7443, or unix:/path")
    }
    if let token, !ClientProfile.isToken(token) {
      throw ValidationError("--token is no token: 1 to 4,096 visible ASCII characters")
    }
  }

  /// The profile that options and environment add up to.
  ///
  /// With --server and without --profile the environment's profile counts for nothing: its token is not for another
  /// server.
  func resolved(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> ClientProfile {
    let addresses = server.compactMap { ServerAddress($0) }
    let named = environment[Self.profileVariable].flatMap { $0.isEmpty ? nil : $0 }
    var result: ClientProfile
    if let path = profile ?? (addresses.isEmpty ? named : nil) {
      result = try ClientProfile(path: path)
    } else if !addresses.isEmpty {
      result = ClientProfile(servers: addresses)
    } else {
      throw CommandFailure(
        "no server is named",
        hints: ["say --profile FILE, set \(Self.profileVariable), or say --server HOST:PORT --ca FILE --token TOKEN"],
        status: .usage)
    }
    if !addresses.isEmpty { result.servers = addresses }
    if let ca { result.authorityPath = ca }
    if let token { result.token = token }
    return result
  }

  /// The files that tell a command which server and as whom; none of them may be written to.
  func files(
    of resolved: ClientProfile, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [OutputDestination.Input] {
    let profile = profile ?? environment[Self.profileVariable]
    return [
      profile.map { OutputDestination.Input(name: "the profile", path: $0) },
      resolved.authorityPath.map { OutputDestination.Input(name: "the file of certificate authorities", path: $0) },
    ].compactMap { $0 }
  }

  /// Makes a client for the time of some work.
  /// - Parameter profile: of the options, when it is known already.
  func withClient<Result>(
    _ profile: ClientProfile? = nil, _ work: (ComandaClient) async throws -> Result
  ) async throws -> Result {
    let client = try ComandaClient(profile: profile ?? resolved(), software: "comanda/\(Comanda.version)")
    do {
      let result = try await work(client)
      await client.close()
      return result
    } catch {
      await client.close()
      throw error
    }
  }
}
