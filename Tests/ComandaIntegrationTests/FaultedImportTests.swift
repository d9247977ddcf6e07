import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import ComandaRPC
import Foundation
import Testing

/// An import whose rows the database refuses, as its client sees it.
@Suite("A faulted import", .timeLimit(.minutes(5)))
struct FaultedImportTests {
  @Test("is shown as FAULTED, to a watch too, and goes on when it is resumed")
  func resumed() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await Database.of(server) { database in
      try await database.execute(
        """
        CREATE FUNCTION refuse_of_one() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
        CREATE TRIGGER refuse_of_one BEFORE INSERT ON order_items FOR EACH ROW
          WHEN (NEW.business_id = '\(account.business)') EXECUTE FUNCTION refuse_of_one();
        """)
      try await server.withChannel(token: account.token) { channel in
        let imports = Comanda_V1_BatchImportService.Client(channel)
        let created = try await imports.createImport(
          .with {
            $0.requestID = UUID().uuidString
            $0.spec.sourceName = "faulted.csv"
          })
        let upload = try await imports.uploadRows()
        try await upload.send(chunk(of: created.importID))
        try await upload.send(
          .with {
            $0.finish.importID = created.importID
            $0.finish.totalRows = 1
            $0.finish.fileSha256 = Data(repeating: 7, count: 32)
          })
        #expect(try await upload.response().sealed)

        var watch = try await imports.watchImport(.with { $0.importID = created.importID }).makeAsyncIterator()
        var snapshot = try await watch.next()
        while let seen = snapshot, seen.state != .faulted { snapshot = try await watch.next() }
        let listed = try await imports.listImports(.with { $0.states = [.faulted] })
        #expect(listed.imports.map(\.importID) == [created.importID])

        try await database.execute("DROP FUNCTION refuse_of_one() CASCADE")
        let request = Comanda_V1_ResumeImportRequest.with {
          $0.requestID = UUID().uuidString
          $0.importID = created.importID
        }
        #expect(try await imports.resumeImport(request).progress.state == .applying)
        while let seen = try await watch.next() { snapshot = seen }
        #expect(snapshot?.state == .completed && snapshot?.appliedRows == 1)
        let error = await #expect(throws: RPCError.self) {
          try await imports.resumeImport(
            .with {
              $0.requestID = UUID().uuidString
              $0.importID = created.importID
            })
        }
        #expect(error?.code == .failedPrecondition)
      }
    }
  }

  /// One order.
  private func chunk(of importID: String) throws -> Comanda_V1_UploadRowsRequest {
    var order = OrderDraft()
    order.externalID = "A-1"
    var item = ItemDraft()
    item.name = "Ramen"
    item.quantity = Quantity(thousandths: 1_000)
    item.total = 900
    order.items = [item]
    var encoder = ImportChunkEncoder(firstRow: 1)
    _ = encoder.append(.order(order), lines: [])
    let taken = encoder.takeChunk()
    let chunk = try #require(taken)
    return .with {
      $0.chunk.importID = importID
      $0.chunk.firstRow = chunk.firstRow
      $0.chunk.rows = Data(chunk.rows)
      $0.chunk.rowsCrc32C = chunk.crc32c
    }
  }
}
