import ComandaDomain
import ComandaStore
import Testing

@Suite("Tokens and businesses in PostgreSQL")
struct IdentityStoreTests {
  @Test("a token is found by its hash alone, and stays found when it is revoked")
  func tokens() async throws {
    try await StoreFixture.run { store in
      let kinds: [PrincipalKind] = [.business(store.business), .internalService, .admin]
      for (number, kind) in kinds.enumerated() {
        let token = AccessToken(
          id: newID(UInt64(700 + number)), sha256: digest(UInt8(number)), name: "token \(number)", kind: kind,
          scopes: [.ordersRead, .importsWrite], createdAt: store.now,
          expiresAt: number == 0 ? store.now.adding(seconds: 60) : nil)
        try await store.tokens.create(token, by: store.mutation("CreateToken"))
        #expect(try await store.tokens.resolve(token.sha256, knownOf: nil)?.token == token)
      }
      #expect(try await store.tokens.resolve(digest(9), knownOf: nil) == nil)
      #expect(try await store.tokens.list(of: nil).map(\.name) == ["token 0", "token 1", "token 2"])
      #expect(try await store.tokens.list(of: store.business).map(\.name) == ["token 0"])

      let revoked = try await store.tokens.revoke(newID(701), by: store.mutation("RevokeToken"))
      #expect(revoked.revokedAt == store.now)
      #expect(try await store.tokens.resolve(digest(1), knownOf: nil)?.token.revokedAt == store.now)
      #expect(try await store.tokens.resolve(digest(1), knownOf: nil)?.principal == nil)
      await #expect(throws: DomainError.notFound(.token, id: "\(newID(799) as TokenID)")) {
        try await store.tokens.revoke(newID(799), by: store.mutation("RevokeToken"))
      }
      #expect(try await store.count("audit_records WHERE method = 'CreateToken'") == 3)
      #expect(try await store.count("audit_records WHERE method = 'RevokeToken'") == 1)
    }
  }

  @Test("how long a token is good is what the database's clock says")
  func timeLeft() async throws {
    try await StoreFixture.run { store in
      for (number, expiresAt) in [store.now.adding(seconds: 60), nil].enumerated() {
        let token = AccessToken(
          id: newID(UInt64(700 + number)), sha256: digest(UInt8(number)), name: "t", kind: .admin, scopes: [],
          createdAt: store.now, expiresAt: expiresAt)
        try await store.tokens.create(token, by: store.mutation("CreateToken"))
      }
      #expect(try #require(try await store.tokens.resolve(digest(1), knownOf: nil)).microsecondsLeft == nil)
      try await store.execute("UPDATE tokens SET expires_at = now() + interval '1 hour' WHERE expires_at IS NOT NULL")
      let left = try #require(try await store.tokens.resolve(digest(0), knownOf: nil)?.microsecondsLeft)
      #expect((3_500_000_000...3_600_000_000).contains(left))
      try await store.execute("UPDATE tokens SET expires_at = now() - interval '1 hour' WHERE expires_at IS NOT NULL")
      #expect(try #require(try await store.tokens.resolve(digest(0), knownOf: nil)).principal == nil)
    }
  }

  @Test("a token for a business that is not there is refused")
  func strayToken() async throws {
    try await StoreFixture.run { store in
      let stranger: BusinessID = newID(99)
      let token = AccessToken(
        id: newID(700), sha256: digest(1), name: "stray", kind: .business(stranger), scopes: [], createdAt: store.now,
        expiresAt: nil)
      await #expect(throws: DomainError.notFound(.business, id: "\(stranger)")) {
        try await store.tokens.create(token, by: store.mutation("CreateToken"))
      }
      let stored = try await store.count("tokens")
      #expect(stored == 0)
    }
  }

  @Test("businesses are created once and listed without the platform itself")
  func businesses() async throws {
    try await StoreFixture.run { store in
      let second = Business(id: newID(3), name: "Sushi", createdAt: store.now.adding(seconds: 1))
      try await store.businesses.create(second, by: store.mutation("CreateBusiness"))
      try await store.businesses.create(
        Business(id: newID(3), name: "Other", createdAt: store.now), by: store.mutation("CreateBusiness"))
      #expect(try await store.businesses.find(newID(3)) == second)
      #expect(try await store.businesses.find(newID(4)) == nil)
      #expect(try await store.businesses.list(limit: 10).map(\.name) == ["Noodle Bar", "Sushi"])
      #expect(try await store.businesses.list(limit: 1).map(\.name) == ["Noodle Bar"])
    }
  }
}
