import Testing

@testable import ComandaTransport

@Suite("A line of those that wait")
struct WaitingLineTests {
  @Test("whoever gives up, the others come out in their order, and the line is not much longer than they are many")
  func chance() {
    for seed in UInt64(0)..<50 {
      var random = SplitMix64(state: seed)
      var line = WaitingLine<Int>()
      var expected: [(ticket: WaitingLine<Int>.Ticket, element: Int)] = []
      for number in 0..<2_000 {
        switch Int.random(in: 0..<8, using: &random) {
        case 0...3: expected.append((line.append(number), number))
        case 4...6:
          guard let index = expected.indices.randomElement(using: &random) else { continue }
          let ticket = expected.remove(at: index).ticket
          line.remove(ticket)
          line.remove(ticket)
        default: #expect(line.popFirst() == (expected.isEmpty ? nil : expected.removeFirst().element), "seed \(seed)")
        }
        #expect(line.count == expected.count, "seed \(seed)")
        #expect(line.isEmpty == expected.isEmpty)
        #expect(line.tickets.count <= 2 * expected.count + 64, "seed \(seed)")
      }
      #expect(line.all.sorted() == expected.map(\.element))
      while let element = line.popFirst() { #expect(element == expected.removeFirst().element) }
      #expect(expected.isEmpty)
    }
  }

  @Test("those that come and go behind one that stays leave nothing behind")
  func behindOne() {
    var line = WaitingLine<Int>()
    _ = line.append(-1)
    for number in 0..<10_000 { line.remove(line.append(number)) }
    #expect(line.count == 1)
    #expect(line.tickets.count < 100)
    #expect(line.popFirst() == -1)
    #expect(line.popFirst() == nil)
  }
}
