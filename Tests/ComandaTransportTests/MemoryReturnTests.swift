import NIOCore
import Testing

@testable import ComandaTransport

@Suite("When memory is given back")
struct MemoryReturnTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  /// Whether it is due at each of these looks: when, what is used, and what was at most since the last one, in MiB.
  private func due(_ looks: [(after: TimeAmount, used: Int, most: Int)]) -> [Bool] {
    var schedule = MemoryReturn.Schedule()
    return looks.map { schedule.isDue(used: $0.used << 20, most: $0.most << 20, at: start + $0.after) }
  }

  @Test("when its use has fallen by enough since its peak, be that between two looks")
  func falls() {
    #expect(due([(.zero, 64, 64), (.seconds(1), 62, 64), (.seconds(2), 0, 62)]) == [false, false, true])
    #expect(due([(.zero, 0, 20)]) == [true])
  }

  @Test("not again at once, but then for all that has fallen meanwhile")
  func interval() {
    let looks: [(TimeAmount, Int, Int)] = [
      (.zero, 0, 20), (.seconds(1), 0, 20), (.seconds(29), 0, 0), (.seconds(30), 0, 0), (.minutes(10), 0, 0),
    ]
    #expect(due(looks) == [true, false, false, true, false])
  }
}
