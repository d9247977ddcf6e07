import ComandaProtos
import ComandaTLS
import ComandaTestRun
import Foundation
import Glibc
import Testing

/// `comanda-server --listen unix:/path`, and the file at that path.
@Suite("A server at a Unix socket", .timeLimit(.minutes(3)))
struct UnixSocketTests {
  @Test("removes the socket's file when it stops, and takes over the file of a server that was killed")
  func lifeOfTheFile() async throws {
    let path = try newPath()
    let server = try await Replica.start(beside: Server.shared(), listen: "unix:\(path)")
    #expect(server.address == "unix:\(path)")
    try await expectService(of: server)
    server.signal(SIGKILL)
    _ = try await server.awaitEnd()
    #expect(isSocket(path), "nobody removed it")

    try await server.restart()
    try await expectService(of: server)
    server.signal(SIGTERM)
    #expect(try await server.awaitEnd() == .exit(0), "\(server.log)")
    #expect(!exists(path))
  }

  @Test("does not start where another server listens, which goes on, and says where that is")
  func inUse() async throws {
    let path = try newPath()
    try await Replica.with(Server.shared(), listen: "unix:\(path)") { server in
      let refusal = try await refusal(of: "127.0.0.1:0,unix:\(path)")
      #expect(refusal.contains("cannot listen at unix:\(path): another process listens there"), "\(refusal)")
      try await expectService(of: server)
    }
    #expect(!exists(path))
  }

  @Test("does not start where a file is that is no socket, and leaves the file alone")
  func notASocket() async throws {
    let path = try newPath()
    try Data("orders".utf8).write(to: URL(filePath: path))
    let refusal = try await refusal(of: "unix:\(path)")
    #expect(refusal.contains("cannot listen at unix:\(path): there is a file that is no socket"), "\(refusal)")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "orders")
  }

  @Test("that cannot listen at its second address removes the file of its first")
  func secondAddressInUse() async throws {
    let path = try newPath()
    let server = try await Server.shared()
    let refusal = try await refusal(of: "unix:\(path),\(server.address)")
    #expect(refusal.contains("cannot listen at \(server.address): address already in use"), "\(refusal)")
    #expect(!exists(path))
  }

  private func newPath() throws -> String {
    try TestRun.makeDirectory("socket") + "/comanda.sock"
  }

  private func expectService(of server: Replica) async throws {
    let authority = try await Server.shared().authority
    let health = try await server.withChannel(trust: .authorities(.file(authority))) {
      try await Comanda_V1_HealthService.Client($0).getHealth(.init())
    }
    #expect(health.state == .serving)
  }

  /// The last line of a server that cannot start at these addresses.
  private func refusal(of addresses: String) async throws -> String {
    let (end, process) = try await Replica.run(beside: Server.shared(), listen: addresses)
    #expect(end == .exit(1), "\(process.transcript)")
    return process.errors.split(separator: "\n").last.map { String($0) } ?? ""
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
  }

  private func isSocket(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
  }
}
