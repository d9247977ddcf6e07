import ComandaCrypto
import Testing

@Suite("SHA-256, HMAC and comparison")
struct DigestTests {
  /// FIPS 180-4's examples, as published with it.
  static let vectors: [(message: String, digest: String)] = [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]

  @Test("SHA-256 gives the standard's values, in one piece and byte by byte", arguments: vectors)
  func publishedValues(message: String, digest: String) {
    #expect(SHA256.hash(message.utf8).hex == digest)
    var hash = SHA256()
    for byte in message.utf8 { hash.update(CollectionOfOne(byte)) }
    #expect(hash.finish().hex == digest)
  }

  @Test("a million letters a hash to the standard's value")
  func million() {
    var hash = SHA256()
    for _ in 0..<1000 { hash.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
    #expect(hash.finish().hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("one value hashes one message after another, independently")
  func reuse() {
    var hash = SHA256()
    hash.update("first".utf8)
    _ = hash.finish()
    hash.update("abc".utf8)
    #expect(hash.finish() == SHA256.hash("abc".utf8))
    #expect(hash.finish() == SHA256.hash([]))
  }

  @Test("threads that hash at once do not disturb each other")
  func threads() async {
    let digests = await withTaskGroup(of: Set<SHA256.Digest>.self) { group in
      for _ in 0..<8 {
        group.addTask { Set((0..<500).map { _ in SHA256.hash("abc".utf8) }) }
      }
      return await group.reduce(into: Set()) { $0.formUnion($1) }
    }
    #expect(digests == [SHA256.hash("abc".utf8)])
  }

  @Test("a digest survives the way through storage, and nothing else of that kind is taken")
  func storage() throws {
    let digest = SHA256.hash("abc".utf8)
    #expect(SHA256.Digest(digest.bytes) == digest)
    #expect(SHA256.Digest(digest.bytes.dropLast()) == nil)
    for position in digest.bytes.indices {
      var changed = digest.bytes
      changed[position] ^= 1
      #expect(SHA256.Digest(changed) != digest)
    }
  }

  /// RFC 4231, 4.2 to 4.4 and 4.7.
  static let codes: [(key: [UInt8], message: [UInt8], code: String)] = [
    (
      [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
  ]

  @Test("HMAC-SHA-256 gives the values of RFC 4231", arguments: codes)
  func publishedCodes(key: [UInt8], message: [UInt8], code: String) throws {
    #expect(HMAC.sha256(key: key, message: message).hex == code)
    let bytes = try #require(Hex.decode(code))
    #expect(HMAC.isValid(bytes, key: key, message: message))
    #expect(!HMAC.isValid(bytes.dropLast(), key: key, message: message))
    #expect(!HMAC.isValid(bytes, key: key, message: message + [0]))
  }

  @Test("HMAC with an empty key and an empty message gives its known value")
  func emptyCode() {
    #expect(
      HMAC.sha256(key: [], message: []).hex == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  @Test("secrets are equal only if every byte is")
  func comparison() {
    #expect(ConstantTime.isEqual([1, 2, 3], [1, 2, 3]))
    #expect(ConstantTime.isEqual([], []))
    #expect(!ConstantTime.isEqual([1, 2, 3], [1, 2, 4]))
    #expect(!ConstantTime.isEqual([1, 2, 3], [1, 2]))
  }

  @Test("random bytes come in the number asked for, and differ")
  func randomness() throws {
    #expect(try RandomBytes.generate(0).isEmpty)
    let first = try RandomBytes.generate(32)
    #expect(first.count == 32)
    #expect(try RandomBytes.generate(32) != first)
  }
}
