import ArgumentParser
import ComandaRPC
import ComandaTLS
import ComandaTransport
import Foundation
import Logging

/// `comanda-bench serve-echo`
struct ServeEcho: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves unary echo over TLS until it is stopped.",
    discussion: """
      With --directory it makes a development certificate authority there (ca.pem) and its own certificate.

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

  func run() async throws {
    let endpoint = try Endpoint(listen)
    let server = try RPCServer(
      dispatcher: CallDispatcher(router: Router([EchoService()]), logger: Logger(label: "bench")),
      tls: .server(try identity()), threads: threads, logger: Logger(label: "bench"))
    let address = try await server.listen(host: endpoint.host, port: endpoint.port)
    let ready = #"{"event":"ready","listen":"\#(address)","pid":\#(getpid())}"# + "\n"
    try FileHandle.standardOutput.write(contentsOf: Data(ready.utf8))
    for await _ in AsyncStream<Void>(unfolding: { try? await Task.sleep(for: .seconds(3600)) }) {}
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
