import ComandaProtos
import Foundation
import Testing

/// `comanda import` of 10,000 orders, stopped in the middle of its upload: the server has some rows, and the rest waits
/// at the relay.
struct UploadInTheMiddle {
  /// How many rows the file has.
  static let rows = 10_000
  /// How many bytes the server gets, of about six million.
  private static let passingBytes = 1_500_000

  let client: CommandLineClient
  let file: String
  let importing: ChildProcess
  let relay: Relay
  let importID: String
  /// Rows that the server had when the upload was looked at.
  let committedRow: Int

  /// Lends an upload in its middle.
  static func on<Result: Sendable>(
    _ server: Server, for account: Account, _ body: (UploadInTheMiddle) async throws -> Result
  ) async throws -> Result {
    let file = try await SampleFile.tenThousand()
    return try await Relay.with(server, holdingAfter: passingBytes) { relay in
      let client = try CommandLineClient(account, of: server, at: relay.address)
      let importing = try client.start(["import", file, "--json"])
      let found = try await eventually(
        "some rows of the upload are committed", explain: { importing.transcript + "\n" + server.log }
      ) { () throws -> Comanda_V1_Import? in
        if let end = importing.ended { throw HarnessError("the import ended with \(end)\n\(importing.transcript)") }
        let imports = try await server.withChannel(token: account.token) {
          try await Comanda_V1_BatchImportService.Client($0).listImports(.init()).imports
        }
        return imports.first { $0.progress.committedRow > 0 }
      }
      // The total is a guess, since the file is not read to its end.
      let progress = /, [1-9][0-9,]*\/~[0-9,]+ orders/
      try await eventually("the client shows what is there", explain: { importing.transcript }) {
        importing.errors.contains(progress)
      }
      #expect(found.progress.state == .receiving)
      #expect(found.progress.committedRow < rows)
      #expect(importing.ended == nil)
      return try await body(
        UploadInTheMiddle(
          client: client, file: file, importing: importing, relay: relay, importID: found.importID,
          committedRow: Int(found.progress.committedRow)))
    }
  }

  /// Waits until the upload, let go, has ended well by itself, every order there once.
  func expectCompletion(on server: Server, for account: Account) async throws {
    let end = try await importing.awaitEnd()
    #expect(end == .exit(0), "\(importing.transcript)")
    let summary = try importing.json(as: ImportSummary.self)
    #expect(summary == ImportSummary(rows: Self.rows, applied: Self.rows))
    #expect(summary.importID == importID)
    try await expectEachOrderOnce(on: server, for: account)
  }

  /// Looks into the database.
  func expectEachOrderOnce(on server: Server, for account: Account) async throws {
    let (stored, broken) = try await Database.of(server) { database in
      try await (database.externalIDs(of: account), database.brokenRules())
    }
    #expect(stored == SampleFile.externalIDs(Self.rows))
    #expect(broken == [])
  }
}
