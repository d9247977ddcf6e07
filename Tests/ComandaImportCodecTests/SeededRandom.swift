/// SplitMix64: a run of a random test is repeated by its seed.
struct SeededRandom: RandomNumberGenerator {
  private static let alphabet = "abcXYZ 0189,\"'\n\té ßжλ漢字カタ，😀👨‍👩‍👧‍👦\u{7F}\u{85}\u{FFFD}\u{10FFFF}".map { String($0) }
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// True once in so many times.
  mutating func once(in times: Int) -> Bool {
    Int.random(in: 0..<times, using: &self) == 0
  }

  /// A text of up to so many characters from several scripts, often empty.
  mutating func text(upTo length: Int) -> String {
    if once(in: 4) { return "" }
    let length = Int.random(in: 0...length, using: &self)
    return (0..<length).map { _ in Self.alphabet[Int.random(in: 0..<Self.alphabet.count, using: &self)] }.joined()
  }

  /// Any number, small ones and the edges more often than others.
  mutating func number() -> Int64 {
    switch Int.random(in: 0..<4, using: &self) {
    case 0: Int64.random(in: -2...300, using: &self)
    case 1: [0, 1, 127, 128, 16_383, 16_384, .max, .min, -1].randomElement(using: &self) ?? 0
    default: Int64.random(in: .min ... .max, using: &self)
    }
  }

  /// Perhaps a number.
  mutating func presentOrNot() -> Int64? {
    once(in: 3) ? nil : number()
  }
}
