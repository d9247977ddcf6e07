import ComandaTestRun
import Foundation
import Glibc
import Testing

/// Everything that can go away in the middle of 10,000 rows does so, one thing a test. Each has a server of its own,
/// and they run one after the other: a machine of two cores is busy with one.
@Suite("An import that is interrupted", .serialized, .timeLimit(.minutes(20)))
struct InterruptedImportTests {
  @Test("goes on by itself when the server is killed and started again: each order once")
  func serverKilled() async throws {
    try await Server.withOwn { server in
      let account = try await Account.make(on: server)
      try await UploadInTheMiddle.on(server, for: account) { upload in
        try await server.kill()
        upload.relay.release()
        try await server.restart()
        try await upload.expectCompletion(on: server, for: account)
        #expect(upload.importing.errors.contains("going on after row"), "\(upload.importing.transcript)")
      }
    }
  }

  /// No relay here: the client speaks to the server's own port, and chance finds the moments that nobody thought of.
  @Test("goes on by itself however often and whenever the server is killed: each order once")
  func serverKilledAgainAndAgain() async throws {
    var random = SeededRandom()
    try await Server.withOwn { server in
      let account = try await Account.make(on: server)
      let file = try await SampleFile.tenThousand()
      let importing = try CommandLineClient(account, of: server).start(["import", file, "--json"])
      try await eventually("the import begins", explain: { importing.transcript }) {
        importing.errors.contains("import ")
      }
      for _ in 1...4 where importing.ended == nil {
        try await Task.sleep(for: .milliseconds(.random(in: 20...600, using: &random)))
        try await server.kill()
        try await server.restart()
      }
      let end = try await importing.awaitEnd()
      #expect(end == .exit(0), "seed \(random.seed)\n\(importing.transcript)")
      #expect(try importing.json() == ImportSummary(rows: 10_000, applied: 10_000), "seed \(random.seed)")
      let (stored, broken) = try await Database.of(server) { database in
        try await (database.externalIDs(of: account), database.brokenRules())
      }
      #expect(stored == SampleFile.externalIDs(10_000), "seed \(random.seed)")
      #expect(broken == [], "seed \(random.seed)")
    }
  }

  @Test("goes on by itself when the database is killed and the server starts it again: each order once")
  func databaseKilled() async throws {
    try await Server.withOwn { server in
      let account = try await Account.make(on: server)
      try await UploadInTheMiddle.on(server, for: account) { upload in
        let postmaster = try #require(server.postmaster)
        #expect(kill(postmaster, SIGKILL) == 0)
        upload.relay.release()
        try await upload.expectCompletion(on: server, for: account)
        #expect(server.postmaster != postmaster)
        #expect(server.isRunning)
      }
    }
  }

  @Test("goes on by itself when the server is told to stop, stops in order, and is started again")
  func serverStopped() async throws {
    try await Server.withOwn { server in
      let account = try await Account.make(on: server)
      try await UploadInTheMiddle.on(server, for: account) { upload in
        let postmaster = try #require(server.postmaster)
        server.terminate()
        try await eventually("the server drains", explain: { server.log }) { server.log.contains("draining") }
        upload.relay.release()
        #expect(try await server.awaitEnd() == .exit(0), "\(server.log)")
        #expect(server.databaseURL == nil)
        #expect(kill(postmaster, 0) != 0, "its PostgreSQL is gone")
        #expect(upload.importing.ended == nil, "\(upload.importing.transcript)")
        try await server.restart()
        try await upload.expectCompletion(on: server, for: account)
        #expect(upload.importing.errors.contains("going on after row"), "\(upload.importing.transcript)")
      }
    }
  }

  @Test("is visibly unfinished when its client is killed, and --resume brings in the rest, of the same file only")
  func clientKilled() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await UploadInTheMiddle.on(server, for: account) { upload in
      upload.importing.kill(SIGKILL)
      #expect(try await upload.importing.awaitEnd() == .signal(SIGKILL))
      upload.relay.release()
      try await expectUnfinished(upload)

      let other = try TestRun.makeDirectory("other") + "/orders.csv"
      let changed = try String(contentsOfFile: upload.file, encoding: .utf8) + "\n"
      try Data(changed.utf8).write(to: URL(filePath: other))
      let withOther = try await upload.client.run(["import", other, "--resume", upload.importID])
      #expect(withOther.ended == .exit(1))
      #expect(withOther.errors.contains("another file"), "\(withOther.transcript)")
      let withMapping = try await upload.client.run(
        ["import", upload.file, "--resume", upload.importID, "--currency", "USD"])
      #expect(withMapping.ended == .exit(1))
      #expect(withMapping.errors.contains("another currency"), "\(withMapping.transcript)")
      try await expectUnfinished(upload)

      let resumed: ImportSummary = try await upload.client.json(
        ["import", upload.file, "--resume", upload.importID])
      #expect(resumed == ImportSummary(rows: UploadInTheMiddle.rows, applied: UploadInTheMiddle.rows))
      #expect(resumed.importID == upload.importID)
      try await upload.expectEachOrderOnce(on: server, for: account)
    }
  }

  @Test("ends with 130 on Ctrl-C, and says how to go on")
  func clientInterrupted() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await UploadInTheMiddle.on(server, for: account) { upload in
      upload.importing.kill(SIGINT)
      #expect(try await upload.importing.awaitEnd() == .exit(130), "\(upload.importing.transcript)")
      #expect(upload.importing.output.isEmpty)
      let command = "comanda import \(upload.file) --resume \(upload.importID)"
      #expect(upload.importing.errors.contains(command), "\(upload.importing.transcript)")
      upload.relay.release()
      try await expectUnfinished(upload)
    }
  }

  private struct StoredImport: Decodable {
    let state: String
    let committedRow: Int
    let sealedAt: String?

    enum CodingKeys: String, CodingKey {
      case state
      case committedRow = "committed_row"
      case sealedAt = "sealed_at"
    }
  }

  private func expectUnfinished(_ upload: UploadInTheMiddle) async throws {
    let stored: StoredImport = try await upload.client.json(["imports", "get", upload.importID])
    #expect(stored.state == "RECEIVING")
    #expect(stored.committedRow >= upload.committedRow)
    #expect(stored.committedRow < UploadInTheMiddle.rows)
    #expect(stored.sealedAt == nil)
  }
}
