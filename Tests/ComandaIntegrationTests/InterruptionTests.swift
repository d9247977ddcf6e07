import ComandaTestRun
import Foundation
import Glibc
import Testing

/// Ctrl-C, at the stages of a command that wait for somebody.
@Suite("comanda, interrupted", .timeLimit(.minutes(20)))
struct InterruptionTests {
  /// A port where nobody answers: the kernel takes connections, and no program does.
  private final class SilentPort {
    let address: String
    private let descriptor: CInt

    init() throws {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      self.descriptor = descriptor
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isOpen = withUnsafeMutablePointer(to: &name) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
          bind(descriptor, name, size) == 0 && listen(descriptor, 1) == 0 && getsockname(descriptor, name, &size) == 0
        }
      }
      guard isOpen else { throw HarnessError("no port: \(String(cString: strerror(errno)))") }
      address = "127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
    }

    deinit {
      close(descriptor)
    }

    /// Whether somebody has connected.
    var isCalled: Bool {
      var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      return Glibc.poll(&poll, 1, 0) == 1
    }
  }

  @Test("while it connects, an import ends with 130 and says that nothing was imported", arguments: [SIGINT, SIGTERM])
  func connecting(signal: Int32) async throws {
    let server = try await Server.shared()
    let port = try SilentPort()
    let client = try await CommandLineClient(Account.make(on: server), of: server, at: port.address)
    let process = try await client.start(["import", SampleFile.make(orders: 1)])
    try await eventually("the import connects", explain: { process.transcript }) { port.isCalled }
    process.kill(signal)
    #expect(try await process.awaitEnd() == .exit(signal == SIGINT ? 130 : 143), "\(process.transcript)")
    #expect(process.errors == "comanda: interrupted; nothing was imported\n")
  }

  @Test("while it waits for a server to come back, an import ends with 130 and says how to go on")
  func waiting() async throws {
    try await Server.withOwn { server in
      let account = try await Account.make(on: server)
      try await UploadInTheMiddle.on(server, for: account) { upload in
        try await server.kill()
        upload.relay.release()
        try await eventually("the import waits", explain: { upload.importing.transcript }) {
          upload.importing.errors.contains("trying again")
        }
        upload.importing.kill(SIGINT)
        #expect(try await upload.importing.awaitEnd() == .exit(130), "\(upload.importing.transcript)")
        #expect(upload.importing.errors.contains("--resume \(upload.importID)"), "\(upload.importing.transcript)")
      }
    }
  }

  @Test("while it lists failed rows, it leaves their file as it was, and says how to get them")
  func reporting() async throws {
    let server = try await Server.shared()
    let client = try await CommandLineClient(Account.make(on: server), of: server)
    let directory = try TestRun.makeDirectory("report")
    let (file, failures) = (directory + "/orders.csv", directory + "/failed.csv")
    let rows = (1...20_000).map { "\($0),Tea,x\n" }.joined()
    try Data("external_id,item_name,item_total\n\(rows)".utf8).write(to: URL(filePath: file))
    try Data("of yesterday".utf8).write(to: URL(filePath: failures))
    let process = try client.start(["import", file, "--failures", failures])
    try await eventually("the import has ended", explain: { process.transcript }) {
      process.output.contains("20,000 failed")
    }
    process.kill(SIGINT)
    #expect(try await process.awaitEnd() == .exit(130), "\(process.transcript)")
    #expect(process.errors.contains("comanda imports get"), "\(process.transcript)")
    #expect(process.errors.contains("--failures \(failures)"), "\(process.transcript)")
    #expect(try String(contentsOfFile: failures, encoding: .utf8) == "of yesterday")
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["failed.csv", "orders.csv"])
  }

  @Test("while it follows one, imports watch ends with 130")
  func watching() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await UploadInTheMiddle.on(server, for: account) { upload in
      // Not by way of the relay, which holds everything back.
      let client = try CommandLineClient(account, of: server)
      let watching = try client.start(["imports", "watch", upload.importID])
      try await eventually("it watches", explain: { watching.transcript }) { watching.errors.contains("orders") }
      watching.kill(SIGINT)
      #expect(try await watching.awaitEnd() == .exit(130), "\(watching.transcript)")
      #expect(watching.errors.contains("the import goes on without being watched"))
      upload.relay.release()
      #expect(try await upload.importing.awaitEnd() == .exit(0), "\(upload.importing.transcript)")
    }
  }
}
