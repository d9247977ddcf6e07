import ComandaProtos
import ComandaRPC
import Testing

/// What a token that has ended is still good for.
@Suite("A token that is revoked", .timeLimit(.minutes(20)))
struct RevocationTests {
  @Test("ends running watches and further calls of its connection within 30 seconds, and those of no other token")
  func revocation() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    let other = try await account.withScopes([], on: server)
    try await server.withChannel(token: account.token) { channel in
      let imports = Comanda_V1_BatchImportService.Client(channel)
      let created = try await imports.createImport(
        .with {
          $0.requestID = "1"
          $0.spec.sourceName = "orders.csv"
        })
      let request = Comanda_V1_WatchImportRequest.with { $0.importID = created.importID }
      // The deadline only bounds a failure.
      let bounded = CallOptions(timeout: .seconds(60))
      var watch = try await imports.watchImport(request, options: bounded).makeAsyncIterator()
      #expect(try await watch.next()?.state == .receiving)

      try await server.withChannel(token: other.token) { otherChannel in
        let others = Comanda_V1_BatchImportService.Client(otherChannel)
        var otherWatch = try await others.watchImport(request, options: bounded).makeAsyncIterator()
        #expect(try await otherWatch.next()?.state == .receiving)

        try await account.revoke(on: server)
        let revoked = ContinuousClock.now
        let ended = try await #require(throws: RPCError.self) { while try await watch.next() != nil {} }
        try expectEnd(ended)
        let refused = try await eventually("a call is refused", within: .seconds(31)) { () -> RPCError? in
          do {
            _ = try await imports.getImport(.with { $0.importID = created.importID })
            return nil
          } catch let error as RPCError {
            return error
          }
        }
        try expectEnd(refused)
        #expect(ContinuousClock.now - revoked < .seconds(30))

        _ = try await others.cancelImport(
          .with {
            $0.requestID = "2"
            $0.importID = created.importID
          })
        #expect(try await otherWatch.next()?.state == .canceled)
      }
    }
  }

  private func expectEnd(_ error: RPCError) throws {
    #expect(error.code == .unauthenticated)
    #expect(error.reason == "CREDENTIAL_ENDED")
    #expect(error.message.contains("revoked"))
  }
}
