import ComandaTLS
import Foundation
import Testing

@testable import comanda_bench

@Suite("comanda-bench", .timeLimit(.minutes(2)))
struct CommandTests {
  /// The program, built beside these tests.
  private static func program() throws -> URL {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(filePath: tests).deletingLastPathComponent().appending(path: "comanda-bench")
  }

  /// Runs a command on a thread of its own: waiting for it must not hold up the tests beside this one.
  private func run(_ arguments: [String]) async throws -> (exitCode: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = try Self.program()
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    return await withCheckedContinuation { continuation in
      Thread.detachNewThread {
        let printed = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        continuation.resume(returning: (process.terminationStatus, printed, complaints))
      }
    }
  }

  private struct Ready: Decodable {
    let event, listen, token: String
    let pid: Int32
  }

  private struct Report: Decodable {
    struct Result: Decodable {
      let connections, inFlight, calls, payload: Int

      enum CodingKeys: String, CodingKey {
        case connections, calls, payload
        case inFlight = "in_flight"
      }
    }
    let result: Result
    let server, client: Machine
  }

  /// Runs a server of a certificate of its own, as `serve-echo --listen ADDR --cert F --key F`.
  private func withServer(_ body: (Ready, DevelopmentCertificates) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "comanda-bench-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let certificates = try DevelopmentCertificates(in: folder)
    let (process, output) = (Process(), Pipe())
    process.executableURL = try Self.program()
    process.arguments = [
      "serve-echo", "--listen", "127.0.0.1:0", "--cert", certificates.certificateFile, "--key",
      certificates.privateKeyFile,
    ]
    process.standardOutput = output
    try process.run()
    defer {
      process.terminate()
      process.waitUntilExit()
    }
    let line = await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: output.fileHandleForReading.availableData) }
    }
    try await body(JSONDecoder().decode(Ready.self, from: line), certificates)
  }

  @Test("echo reaches serve-echo by address and authority alone, and says how both sides can be run again")
  func echo() async throws {
    try await withServer { ready, certificates in
      #expect(ready.event == "ready")
      let flags = ["--target", ready.listen, "--ca", certificates.authorityFile]
      let echo = try await run(
        ["echo"] + flags + ["--connections", "2", "--in-flight", "4", "--calls", "80", "--payload", "16", "--json"])
      #expect(echo.exitCode == 0, "\(echo.errors)")
      let report = try JSONDecoder().decode(Report.self, from: Data(echo.output.utf8))
      let result = report.result
      let counts = [result.connections, result.inFlight, result.calls, result.payload]
      #expect(counts == [2, 4, 80, 16] as [Int])
      #expect(report.server.command.hasPrefix("comanda-bench serve-echo --listen 127.0.0.1:0 --cert "))
      #expect(report.client.command.hasPrefix("comanda-bench echo --target 127.0.0.1:"))
      #expect(report.client.tls.hasPrefix("OpenSSL "))
      #expect(report.client.cores > 0)

      let measured = try await run(["echo"] + flags + ["--calls", "80", "--server-pid", "\(ready.pid)"])
      #expect(measured.exitCode == 0, "\(measured.errors)")
      #expect(measured.output.contains("µs of server CPU a call"))
      #expect(measured.output.contains("server: comanda-bench serve-echo"))
      #expect(measured.output.contains("--server-pid $!"))
      #expect(!measured.output.contains("\(ready.pid) "))

      let stranger = try await run(["echo"] + flags + ["--token", "cmd_other", "--calls", "1"])
      #expect(stranger.exitCode != 0)
      #expect(stranger.errors.contains("UNAUTHENTICATED"), "\(stranger.errors)")
    }
  }

  @Test(
    "a number that makes no sense is refused, and its range is said",
    arguments: [
      "echo --in-flight 0", "echo --in-flight=-1", "echo --connections 0", "echo --calls 0", "echo --payload=-1",
      "echo --payload 4194305", "echo --server-pid 0", "connections --count 0 --rate 1", "connections --open-rate 0",
      "connections --hold=-1", "connections --rate=-1", "connections --rate 1000000 --hold 86400", "codec --frames 0",
      "stream --message 0", "stream --mebibytes 0", "serve-echo --threads 0",
    ])
  func numbers(command: String) async throws {
    let refused = try await run(command.split(separator: " ").map(String.init))
    #expect(refused.exitCode == 64)
    #expect(refused.errors.contains(" to "), "\(refused.errors)")
  }

  @Test("a command is written as a shell takes it, without the number of a process")
  func commandText() {
    let command = Machine.command(["/x/comanda-bench", "echo", "--ca", "my ca's.pem", "--server-pid", "4711", "--json"])
    #expect(command == #"comanda-bench echo --ca 'my ca'\''s.pem' --server-pid $! --json"#)
    #expect(Machine.command(["c", "echo", "--server-pid=4711"]) == "comanda-bench echo --server-pid $!")
  }
}
