import ComandaDomain
import Testing

@Suite("Tokens and principals")
struct PrincipalTests {
  private let own: BusinessID = id(1)
  private let other: BusinessID = id(2)
  private let now = Timestamp(microseconds: 1_000_000)

  private func principal(_ kind: PrincipalKind) -> Principal {
    Principal(tokenID: id(3), kind: kind, scopes: [.ordersRead], expiresAt: nil)
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
  }

  @Test("a scope that was not granted is refused by name")
  func scopes() throws {
    try principal(.admin).require(.ordersRead)
    #expect(throws: DomainError.scopeMissing(.ordersWrite)) { try principal(.admin).require(.ordersWrite) }
    #expect(DomainError.scopeMissing(.ordersWrite).description == "the token lacks the scope orders.write")
  }

  @Test("a token stands for nobody from the moment of its expiry or once revoked")
  func expiry() throws {
    func token(expiresAt: Timestamp?, revokedAt: Timestamp?) throws -> AccessToken {
      AccessToken(
        id: id(3), sha256: try #require(SHA256Digest([UInt8](repeating: 1, count: 32))), name: "t", kind: .admin,
        scopes: [.ordersRead], createdAt: now, expiresAt: expiresAt, revokedAt: revokedAt)
    }
    let later = now.adding(seconds: 1)
    #expect(try token(expiresAt: later, revokedAt: nil).principal(at: now)?.expiresAt == later)
    #expect(try token(expiresAt: later, revokedAt: nil).principal(at: later) == nil)
    #expect(try token(expiresAt: nil, revokedAt: now).principal(at: later) == nil)
    #expect(try token(expiresAt: nil, revokedAt: nil).principal(at: later)?.tokenID == id(3))
  }
}

private func id<Kind>(_ number: UInt64) -> Identifier<Kind> {
  var random = SeededGenerator(seed: number)
  return .make(at: Timestamp(microseconds: 0), using: &random)
}
