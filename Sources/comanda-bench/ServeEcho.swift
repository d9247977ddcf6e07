import ArgumentParser
import ComandaRPC
import ComandaServices
import ComandaTLS
import ComandaTransport
import Foundation
import Logging
import Metrics

/// `comanda-bench serve-echo`
struct ServeEcho: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves echo and streams over TLS until it is stopped.",
    discussion: """
      Each call is authenticated, counted, timed and logged by the interceptors of the order server. With --directory \
      it makes a development certificate authority there (ca.pem), its own certificate, and a profile (profile.json) \
      with the token that calls need; the other commands know that token too. Once it serves it prints a line of JSON \
      with its address, its process id and the token.

      Example: comanda-bench serve-echo --listen 127.0.0.1:7901 --directory /tmp/bench
      """)

  @Option(help: "Address to listen on, HOST:PORT.")
  var listen = "127.0.0.1:7901"

  @Option(help: "Certificate chain, PEM.")
  var cert: String?

  @Option(help: "Private key, PEM.")
  var key: String?

  @Option(help: "Directory for development certificates, instead of --cert and --key.")
  var directory: String?

  @Option(help: "Event loop threads.")
  var threads = 1

  @Flag(help: "Leave out authentication, metrics and the log.")
  var bare = false

  private struct ReadyLine: Encodable {
    let event = "ready"
    let listen: String
    let pid: Int32
    /// What calls need; nil if they need none.
    let token: String?
  }

  func validate() throws {
    try require("--threads", threads, in: 1...1_024)
  }

  func run() async throws {
    let endpoint = try Endpoint(listen)
    _ = Machine.this
    MetricsSystem.bootstrap(AtomicMetrics())
    var logger = Logger(label: "bench")
    logger.logLevel = .notice
    let router = Router([EchoService(scope: bare ? nil : BenchToken.scope)])
    let authenticator = Authenticator(
      tokens: BenchToken.store, environment: BenchToken.environment, logger: logger)
    let interceptors: [any ServerInterceptor] = [CallMetrics(router), CallLog(logger), authenticator]
    let identity = try identity()
    var settings = ServerSettings()
    settings.connections = 50_000
    settings.connectionsPerAddress = 50_000
    if bare { settings.strangerBytes = settings.memoryBudget }
    // All callers are one business, or nobody.
    var limits = CallLimits()
    limits.callsPerAccount = limits.runningCalls
    limits.streamsPerAccount = limits.runningCalls
    let server = try RPCServer(
      dispatcher: CallDispatcher(
        router: router, interceptors: bare ? [] : interceptors, limits: limits, logger: logger),
      tls: .server(identity), settings: settings, threads: threads, logger: logger)
    let address = try await server.listen(host: endpoint.host, port: endpoint.port)
    if let directory { try BenchToken.writeProfile(into: directory, server: address) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let ready = ReadyLine(listen: address, pid: getpid(), token: bare ? nil : BenchToken.secret)
    try FileHandle.standardOutput.write(contentsOf: encoder.encode(ready) + Data("\n".utf8))
    while true { try await Task.sleep(for: .seconds(3600)) }
  }

  private func identity() throws -> TLSConfiguration.Identity {
    if let directory { return try DevelopmentCertificates(in: directory).identity }
    guard let cert, let key else { throw ValidationError("give --cert and --key, or --directory") }
    return TLSConfiguration.Identity(certificateChain: .file(cert), privateKey: .file(key))
  }
}

/// A HOST:PORT of the command line.
struct Endpoint {
  let host: String
  let port: Int

  init(_ text: String) throws {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port), colon > text.startIndex
    else { throw ValidationError("'\(text)' is not of the form HOST:PORT") }
    self.host = text[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    self.port = port
  }
}
