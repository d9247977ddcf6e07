import ComandaProtos
import ComandaRPC
import ComandaTestRun
import ComandaTransport
import Foundation
import Testing

private typealias Orders = Comanda_V1_OrderService.Client
private typealias Imports = Comanda_V1_BatchImportService.Client

/// A server's clock that is wrong, or is set while it runs, by libfaketime; its database's clock is right. The clock that
/// only goes forward stays as it is, as it does when an operator or NTP sets the other one.
///
/// It is right at first and set forward only: libfaketime moves absolute timers of every clock along with the one that is
/// set, so that a sleep would last for as long as the clock was off. `AuthenticatorTests` sets it back.
@Suite("A clock that is set", .timeLimit(.minutes(20)), .enabled(if: FakeTime.library != nil))
struct ClockTests {
  @Test("hours ahead, it keeps every token that lives and no revoked one, neither for calls nor for a watch")
  func revocation() async throws {
    let clock = try FakeTime("+0")
    try await Server.withOwn(environment: clock.environment(directory:)) { server in
      try clock.set("+6h")
      let account = try await Account.make(on: server)
      try await server.withChannel(token: account.token) { channel in
        let imports = Imports(channel)
        let created = try await imports.createImport(.named("1"))
        var watch = try await imports.watchImport(
          .with { $0.importID = created.importID }, options: CallOptions(timeout: .seconds(60))
        ).makeAsyncIterator()
        #expect(try await watch.next()?.state == .receiving)
        try await account.revoke(on: server)
        let ended = try await #require(throws: RPCError.self) { while try await watch.next() != nil {} }
        #expect(ended.reason == "CREDENTIAL_ENDED")
        let refused = try await eventually("a call is refused", within: .seconds(31)) { () -> RPCError? in
          do {
            _ = try await imports.getImport(.with { $0.importID = created.importID })
            return nil
          } catch let error as RPCError {
            return error
          }
        }
        #expect(refused.reason == "CREDENTIAL_ENDED")
      }
    }
  }

  @Test("forward by hours, it loses no connection, no call and no row of an import")
  func jump() async throws {
    let clock = try FakeTime("+0")
    try await Server.withOwn(environment: clock.environment(directory:)) { server in
      let account = try await Account.make(on: server)
      let client = try CommandLineClient(account, of: server)
      let file = try await SampleFile.make(orders: 3_000)
      try await server.withChannel(token: account.token) { channel in
        _ = try await Orders(channel).createOrder(.init(.sample("before")))
        let upload = try client.start(["import", file, "--json"])
        try clock.set("+6h")
        for number in 0..<20 { _ = try await Orders(channel).createOrder(.init(.sample("after-\(number)"))) }
        let end = try await upload.awaitEnd()
        #expect(end == .exit(0), "\(upload.transcript)")
        let summary = try upload.json(as: ImportSummary.self)
        #expect(summary == ImportSummary(rows: 3_000, applied: 3_000))
        let statistics = try await Orders(channel).getOrderStatistics(.init())
        #expect(statistics.orders == 3_021)
      }
      let broken = try await Database.of(server) { try await $0.brokenRules() }
      #expect(broken == [])
    }
  }

  @Test("a token that expires while a watch runs ends the watch")
  func expiryDuringWatch() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await server.withChannel(token: account.token) { channel in
      let imports = Imports(channel)
      let created = try await imports.createImport(.named("1"))
      var watch = try await imports.watchImport(
        .with { $0.importID = created.importID }, options: CallOptions(timeout: .seconds(60))
      ).makeAsyncIterator()
      #expect(try await watch.next()?.state == .receiving)
      try await Database.of(server) { try await $0.expire(account) }
      let ended = try await #require(throws: RPCError.self) { while try await watch.next() != nil {} }
      #expect(ended.reason == "CREDENTIAL_ENDED")
    }
  }
}

extension Comanda_V1_CreateImportRequest {
  fileprivate static func named(_ requestID: String) -> Self {
    .with {
      $0.requestID = requestID
      $0.spec.sourceName = "orders.csv"
    }
  }
}

/// The clock of processes that are started with its environment.
private struct FakeTime {
  /// Where Debian and Ubuntu have it.
  static let library = try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")
    .map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }
    .first { FileManager.default.fileExists(atPath: $0) }

  private let file: URL

  init(_ offset: String) throws {
    file = URL(filePath: try TestRun.makeDirectory("faketime") + "/offset")
    try set(offset)
  }

  /// With the library, a Swift program finds no arguments: the server gets its settings by the environment too.
  func environment(directory: String) -> [String: String] {
    [
      "COMANDA_EMBEDDED": directory, "COMANDA_LISTEN": "127.0.0.1:0",
      "LD_PRELOAD": Self.library ?? "", "FAKETIME_TIMESTAMP_FILE": file.path, "FAKETIME_CACHE_DURATION": "1",
      "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
    ]
  }

  /// Sets the clock to so much from the true time: `+6h`.
  func set(_ offset: String) throws {
    try Data((offset + "\n").utf8).write(to: file, options: .atomic)
  }
}
