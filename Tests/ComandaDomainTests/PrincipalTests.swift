import ComandaDomain
import Testing

@Suite("Tokens and principals")
struct PrincipalTests {
  private let own: BusinessID = id(1)
  private let other: BusinessID = id(2)
  private let now = Timestamp(microseconds: 1_000_000)

  private func principal(_ kind: PrincipalKind) -> Principal {
    Principal(tokenID: id(3), kind: kind, scopes: [.ordersRead])
  }

  @Test("a business's token acts for its business alone, whether it names it or not")
  func business() throws {
    let principal = principal(.business(own))
    #expect(try principal.business(named: nil) == own)
    #expect(try principal.business(named: own) == own)
    #expect(throws: DomainError.businessForeign) { try principal.business(named: other) }
  }

  @Test("services and operators name the business", arguments: [PrincipalKind.internalService, .admin])
  func named(_ kind: PrincipalKind) throws {
    #expect(try principal(kind).business(named: other) == other)
    #expect(throws: DomainError.businessMissing) { try principal(kind).business(named: nil) }
    #expect(throws: DomainError.notFound(.business, id: "00000000-0000-0000-0000-000000000000")) {
      try principal(kind).business(named: .platform)
    }
  }

  @Test("a scope that was not granted is refused by name")
  func scopes() throws {
    try principal(.admin).require(.ordersRead)
    #expect(throws: DomainError.scopeMissing(.ordersWrite)) { try principal(.admin).require(.ordersWrite) }
    #expect(DomainError.scopeMissing(.ordersWrite).description == "the token lacks the scope orders.write")
  }

  @Test("a token stands for nobody from the moment of its expiry or once revoked")
  func expiry() throws {
    func principal(left: Int64?, revokedAt: Timestamp? = nil) throws -> Principal? {
      let token = AccessToken(
        id: id(3), sha256: try #require(SHA256Digest([UInt8](repeating: 1, count: 32))), name: "t", kind: .admin,
        scopes: [.ordersRead], createdAt: now, expiresAt: nil, revokedAt: revokedAt)
      return ResolvedToken(token: token, microsecondsLeft: left).principal
    }
    #expect(try principal(left: 1)?.tokenID == id(3))
    #expect(try principal(left: nil)?.tokenID == id(3))
    #expect(try principal(left: 0) == nil)
    #expect(try principal(left: .min) == nil)
    #expect(try principal(left: nil, revokedAt: now) == nil)
  }
}

private func id<Kind>(_ number: UInt64) -> Identifier<Kind> {
  var random = SeededGenerator(seed: number)
  return .make(at: Timestamp(microseconds: 0), using: &random)
}
