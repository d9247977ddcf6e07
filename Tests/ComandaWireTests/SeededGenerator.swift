import Foundation

/// Random numbers that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}

/// Seeds for random tests: fresh ones, or the one of a failed run.
///
/// A random test names its seed in every failure; `COMANDA_TEST_SEED=…` runs it again with that seed alone.
enum Seeds {
  static func some(_ count: Int) -> [UInt64] {
    if let text = ProcessInfo.processInfo.environment["COMANDA_TEST_SEED"], let seed = UInt64(text) { return [seed] }
    return (0..<count).map { _ in UInt64.random(in: 0...UInt64.max) }
  }
}
