import ComandaTestRun
import Foundation
import Glibc
import Testing

/// What keeps a server from serving: each is one clear line and the exit code that goes with it.
@Suite("comanda-server that cannot start", .timeLimit(.minutes(20)))
struct ServerStartTests {
  /// Nobody listens at port 1.
  private static let away = "postgresql://comanda@127.0.0.1:1/comanda"

  private func start(_ arguments: [String]) throws -> ChildProcess {
    try ChildProcess(Program.path("comanda-server"), arguments)
  }

  private func certificate(of server: Server) -> [String] {
    ["--tls-cert", server.directory + "/tls/server.pem", "--tls-key", server.directory + "/tls/server.key"]
  }

  @Test(
    "for wrong usage ends with 2, and says what would be right",
    arguments: [
      (["--no-such-option"], "Error: Unknown option '--no-such-option'"),
      (["serve"], "comanda-server: no database: give --embedded DIR"),
      (["--embedded", "data", "--listen", "nonsense"], "right would be 127.0.0.1:7443"),
      (["--database-url", ServerStartTests.away], "give --tls-cert FILE and --tls-key FILE"),
      (["--database-url", "nonsense"], "right would be postgresql://USER@HOST:5432/NAME"),
      (["token", "revoke", "--embedded", "data", "nonsense"], "Error: 'nonsense' is no token id"),
    ])
  func usage(arguments: [String], expected: String) async throws {
    let server = try start(arguments)
    #expect(try await server.awaitEnd() == .exit(2), "\(server.transcript)")
    #expect(server.errors.contains(expected), "\(server.transcript)")
    #expect(server.errors.split(separator: "comanda-server: Error:").count == 1)
    #expect(server.output.isEmpty)
  }

  @Test("because of its address or its key ends with 1, and names it")
  func addressAndKey() async throws {
    let server = try await Server.shared()
    let url = try #require(server.databaseURL)
    let certificate = certificate(of: server)
    let inUse = try start(["--database-url", url, "--listen", server.address] + certificate)
    #expect(try await inUse.awaitEnd() == .exit(1))
    #expect(inUse.errors.contains("comanda-server: cannot listen at \(server.address): address already in use"))
    let authority = server.directory + "/tls/ca.key"
    for (key, expected) in [
      ("/no/such.key", "/no/such.key cannot be read: No such file"), (authority, "does not belong"),
    ] {
      let process = try start(["--database-url", url, "--listen", "127.0.0.1:0"] + certificate.dropLast() + [key])
      #expect(try await process.awaitEnd() == .exit(1))
      #expect(process.errors.contains(expected), "\(process.transcript)")
    }
  }

  @Test(
    "because its database is away stops when it is told to, and need not give up first", arguments: [SIGTERM, SIGINT])
  func stopsWhileItWaits(signal: Int32) async throws {
    let shared = try await Server.shared()
    let server = try start(["--database-url", Self.away, "--listen", "127.0.0.1:0"] + certificate(of: shared))
    try await eventually("it waits for the database", explain: { server.transcript }) {
      server.errors.contains("the database cannot be reached")
    }
    server.kill(signal)
    #expect(try await server.awaitEnd() == .exit(0), "\(server.transcript)")
  }

  @Test("because its database stays away ends with 1")
  func databaseAway() async throws {
    let shared = try await Server.shared()
    let server = try start(["--database-url", Self.away, "--listen", "127.0.0.1:0"] + certificate(of: shared))
    #expect(try await server.awaitEnd() == .exit(1), "\(server.transcript)")
    #expect(server.errors.contains("comanda-server: no database connection within"), "\(server.transcript)")
  }
}
