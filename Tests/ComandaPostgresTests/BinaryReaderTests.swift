import Testing

@testable import ComandaPostgres

@Suite("PostgreSQL's binary format")
struct BinaryReaderTests {
  private func array(_ bytes: [UInt8]) -> [Int32?]? {
    bytes.withUnsafeBytes { BinaryReader.array($0) { BinaryReader.integer(Int32.self, $1) } }
  }

  private func encoded(_ values: [Int32?]) -> [UInt8] {
    var writer = BinaryWriter()
    writer.appendArray(values, of: .int4) { $0.append($1) }
    return writer.bytes
  }

  @Test("arrays are read as they are written")
  func arrays() {
    for values: [Int32?] in [[], [nil], [1], [1, nil, .min], Array(repeating: 7, count: 1_000)] {
      #expect(array(encoded(values)) == values)
    }
  }

  @Test("an array cut anywhere is no array")
  func truncated() {
    let bytes = encoded([1, nil, 3])
    for length in 0..<bytes.count { #expect(array(Array(bytes.prefix(length))) == nil) }
  }

  @Test("lengths that lie are no arrays, and reserve no memory")
  func lies() {
    let bytes = encoded([1, 2])
    // Dimensions, element count and the first element's length, each as the largest, smallest and another number.
    for offset in [0, 12, 20] {
      for lie: [UInt8] in [[0x7f, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0, 0, 0, 9]] {
        var changed = bytes
        changed.replaceSubrange(offset..<offset + 4, with: lie)
        #expect(array(changed) == nil)
      }
    }
  }

  @Test("numerics of any bytes are numbers or nil")
  func numerics() {
    var random = SystemRandomNumberGenerator()
    let seed = random.next()
    var generator = SplitMix(state: seed)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
        // Mostly small bytes, which look like headers.
        Bool.random(using: &generator)
          ? UInt8.random(in: 0...4, using: &generator) : .random(in: 0...255, using: &generator)
      }
      let value = bytes.withUnsafeBytes { BinaryReader.wholeNumeric($0) }
      #expect(value == nil || bytes.count >= 8, "seed \(seed)")
    }
    // 12,345,678 is the digits 1234 and 5678 with weight 1.
    let number: [UInt8] = [0, 2, 0, 1, 0, 0, 0, 0, 0x04, 0xd2, 0x16, 0x2e]
    #expect(number.withUnsafeBytes { BinaryReader.wholeNumeric($0) } == 12_345_678)
  }

  private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return value ^ (value >> 31)
    }
  }
}
