import ArgumentParser
import ComandaClient
import ComandaConformance
import ComandaTLS
import Foundation

/// `comanda-conformance serve`
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serves ConformanceService until it is stopped.",
    discussion: """
      Makes a development certificate authority in the directory (ca.pem) and its own certificate.

      Example: comanda-conformance serve --listen 127.0.0.1:7900 --directory /tmp/conformance
      """)

  @Option(help: "Address to listen on, HOST:PORT; port 0 for any that is free.")
  var listen = "127.0.0.1:7900"

  @Option(help: "Directory for the certificates.")
  var directory: String

  func run() async throws {
    guard let colon = listen.lastIndex(of: ":"), let port = UInt16(listen[listen.index(after: colon)...]) else {
      throw ValidationError("'\(listen)' is not of the form HOST:PORT")
    }
    let server = try ClientSuite.server(DevelopmentCertificates(in: directory).identity)
    let host = listen[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    let address = try await server.listen(host: host, port: Int(port))
    let ready = #"{"event":"ready","listen":"\#(address)","pid":\#(getpid())}"# + "\n"
    try FileHandle.standardOutput.write(contentsOf: Data(ready.utf8))
    try await Task.sleep(for: .seconds(Int64.max / 2_000_000_000))
  }
}
