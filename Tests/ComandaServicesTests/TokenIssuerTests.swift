import ComandaDomain
import Testing

@testable import ComandaServices

@Suite("Issuing tokens")
struct TokenIssuerTests {
  @Test(
    "a token is good for as many days as are said, and at most to the end of time",
    arguments: [
      (0, Timestamp(microseconds: 0)), (365, Timestamp(microseconds: 31_536_000_000_000)),
      (Int.max, Timestamp.representable.upperBound), (.min, Timestamp.representable.lowerBound),
    ])
  func expiry(days: Int, end: Timestamp) async throws {
    let clock = ManualClock(Timestamp(microseconds: 0))
    let issuer = TokenIssuer(tokens: MemoryTokens(clock), environment: .test(clock))
    let issued = try await issuer.issue(
      name: "shop", kind: .internalService, scopes: [], days: days, method: "test")
    #expect(issued.token.expiresAt == end)
  }
}
