import Testing

@testable import ComandaDomain

@Suite("Saturating arithmetic")
struct SaturatingArithmeticTests {
  private static let numbers: [Int8] = [.min, .min + 1, -64, -2, -1, 0, 1, 2, 63, 64, .max - 1, .max]

  @Test("results are right where they fit, and stop at the bound that they would pass", arguments: numbers)
  func saturates(left: Int8) {
    for right in Self.numbers {
      #expect(left.addingSaturated(right) == Int8(clamping: Int(left) + Int(right)))
      #expect(left.subtractingSaturated(right) == Int8(clamping: Int(left) - Int(right)))
      #expect(left.multipliedSaturated(by: right) == Int8(clamping: Int(left) * Int(right)))
    }
  }
}
