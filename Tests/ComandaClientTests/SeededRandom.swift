import ComandaRPC
import Synchronization

/// SplitMix64: the same seed gives the same numbers.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Accidents drawn at random, by a seed.
final class RandomAccidents: Sendable {
  private let random: Mutex<SeededRandom>
  private let percent: Int

  init(seed: UInt64, percent: Int) {
    random = Mutex(SeededRandom(seed: seed))
    self.percent = percent
  }

  func next(_ operation: ImportServer.Operation) -> ImportServer.Accident? {
    random.withLock { random in
      guard Int.random(in: 0..<100, using: &random) < percent else { return nil }
      let codes: [StatusCode] = [.unavailable, .aborted, .dataLoss, .cancelled, .deadlineExceeded]
      let error = RPCError(codes.randomElement(using: &random) ?? .unavailable, "an accident")
      switch Int.random(in: 0..<3, using: &random) {
      case 0: return .before(error)
      case 1: return .after(error)
      default: return .lost(error)
      }
    }
  }
}
