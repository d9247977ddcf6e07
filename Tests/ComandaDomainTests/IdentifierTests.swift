import ComandaDomain
import FoundationEssentials
import Testing

@Suite("Identifiers and digests")
struct IdentifierTests {
  @Test("a new id is a UUID of version 7 whose first 48 bits are the milliseconds")
  func version7() throws {
    // The example of RFC 9562, appendix A.6: 0x017F22E279B0 ms.
    var random = SeededGenerator(seed: testSeed)
    let time = Timestamp(microseconds: 0x017F_22E2_79B0 * 1_000 + 500)
    let id = OrderID.make(at: time, using: &random)
    let text = id.description
    #expect(text.hasPrefix("017f22e2-79b0-7800-"))
    #expect(text.utf8.count == 36)
    let variant = try #require(text.dropFirst(19).first)
    #expect("89ab".contains(variant))
    #expect(OrderID.make(at: time, using: &random) != id)
  }

  @Test("ids sort by the microsecond in which they were made")
  func sorts() {
    var random = SeededGenerator(seed: testSeed)
    let times = (0..<2_000).map { Timestamp(microseconds: 1_795_000_000_000_000 + $0) }
    let ids = times.map { OrderID.make(at: $0, using: &random) }
    #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 < $1 }, "COMANDA_TEST_SEED=\(testSeed)")
  }

  @Test("moments before 1970 make the lowest ids, not a trap")
  func beforeEpoch() {
    var random = SeededGenerator(seed: testSeed)
    #expect(
      OrderID.make(at: Timestamp(microseconds: .min), using: &random).description.hasPrefix("00000000-0000-7000-"))
  }

  @Test("an id is read from its 36 characters only")
  func reads() throws {
    let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    #expect(try #require(BusinessID(text)).description == text)
    #expect(BusinessID(text.uppercased())?.description == text)
    for wrong in [
      "", "017f22e279b07cc398c4dc0c0c07398f", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398}", text + "0",
      "x" + text.dropFirst(),
    ] {
      #expect(BusinessID(wrong) == nil, "\(wrong)")
    }
  }

  @Test("a digest has 32 bytes and prints as 64 hexadecimal digits")
  func digests() throws {
    let bytes = (0..<32).map { UInt8($0 * 8) }
    let digest = try #require(SHA256Digest(bytes))
    #expect(digest.bytes == bytes)
    #expect(SHA256Digest(hex: digest.description) == digest)
    #expect(SHA256Digest(hex: digest.description.uppercased()) == digest)
    #expect(SHA256Digest(bytes.dropLast()) == nil && SHA256Digest(bytes + [0]) == nil)
    for wrong in ["", "00", String(repeating: "g", count: 64), digest.description + "0", digest.description + "00"] {
      #expect(SHA256Digest(hex: wrong) == nil)
    }
  }
}
