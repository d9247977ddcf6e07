import CCRC32C
import ComandaCrypto
import Testing

@Suite("CRC-32C and hexadecimal")
struct ChecksumTests {
  /// RFC 3720, B.4, and the check value of the CRC catalogues.
  static let vectors: [(bytes: [UInt8], crc: UInt32)] = [
    ([], 0),
    (Array("123456789".utf8), 0xE306_9283),
    ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
    ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
    (Array(0..<32), 0x46DD_794E),
    ((0..<32).reversed(), 0x113F_DB5C),
  ]

  @Test("CRC-32C gives the standard's values, by instruction and by tables", arguments: vectors)
  func publishedValues(bytes: [UInt8], crc: UInt32) {
    #expect(CRC32C.checksum(bytes) == crc)
    #expect(crc32c_extend_portable(0, bytes, bytes.count) == crc)
  }

  @Test("pieces of any length add up to the whole, at any alignment")
  func pieces() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 3) }
    for start in 0..<9 {
      let whole = bytes[start...]
      let expected = CRC32C.checksum(whole)
      #expect(expected == Array(whole).withUnsafeBytes { crc32c_extend_portable(0, $0.baseAddress, $0.count) })
      for cut in whole.indices {
        var crc = CRC32C()
        crc.update(whole[..<cut])
        crc = CRC32C(continuing: crc.value)
        crc.update(whole[cut...])
        #expect(crc.value == expected)
      }
    }
  }

  @Test("hexadecimal text stands for bytes in either case, and for nothing else")
  func hexadecimal() {
    #expect(Hex.encode([0, 0x1F, 0xA0, 0xFF]) == "001fa0ff")
    #expect(Hex.decode("001fA0Ff") == [0, 0x1F, 0xA0, 0xFF])
    #expect(Hex.decode("") == [])
    for text in ["0", "0g", "é0", "0x12", " 12"] { #expect(Hex.decode(text) == nil) }
  }
}
