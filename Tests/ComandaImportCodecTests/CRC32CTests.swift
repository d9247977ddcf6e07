import CImportRows
import Testing

@Suite("CRC-32C")
struct CRC32CTests {
  @Test("the examples of RFC 3720, B.4, and the usual check value")
  func examples() {
    #expect(checksum(of: [UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(checksum(of: [UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(checksum(of: (0..<32).map { UInt8($0) }) == 0x46DD_794E)
    #expect(checksum(of: (0..<32).reversed().map { UInt8($0) }) == 0x113F_DB5C)
    #expect(checksum(of: Array("123456789".utf8)) == 0xE306_9283)
    #expect(checksum(of: []) == 0)
  }

  @Test("the processor's instruction and the software agree at every length and alignment")
  func portable() {
    var random = SeededRandom(seed: 5)
    let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
    let disagreements = bytes.withUnsafeBytes { buffer in
      (0..<9).flatMap { start in
        (0..<(300 - start)).filter { count in
          guard let base = buffer.baseAddress else { return true }
          return comanda_crc32c(base + start, count) != comanda_crc32c_portable(base + start, count)
        }
      }
    }
    #expect(disagreements.isEmpty)
  }
}
