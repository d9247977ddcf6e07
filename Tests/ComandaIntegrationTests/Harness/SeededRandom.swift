import Foundation

/// Chance that can be had again (SplitMix64): a test that fails names its seed.
struct SeededRandom: RandomNumberGenerator {
  /// What `COMANDA_SEED` says, or else chance.
  let seed: UInt64
  private var state: UInt64

  init() {
    let given = ProcessInfo.processInfo.environment["COMANDA_SEED"].flatMap { UInt64($0) }
    seed = given ?? .random(in: .min ... .max)
    state = seed
  }

  /// Chance that this seed determines.
  init(seed: UInt64) {
    self.seed = seed
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
