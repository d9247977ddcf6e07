import Testing

@testable import ComandaWire

@Suite("The table of calls")
struct StreamTableTests {
  @Test("it holds what a dictionary would, through any sequence of opened, taken and ended calls", arguments: 1...20)
  func likeADictionary(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var table = StreamTable<String>()
    var dictionary: [StreamID: String] = [:]
    var lastOpened: StreamID = 0
    for step in 0..<4_000 {
      switch Int.random(in: 0..<10, using: &generator) {
      case 0..<4 where dictionary.count < 300:
        lastOpened += 1
        table[lastOpened] = "\(step)"
        dictionary[lastOpened] = "\(step)"
      case 4..<6:
        guard let id = dictionary.keys.sorted().randomElement(using: &generator) else { continue }
        let taken = table.take(id)
        #expect(taken == dictionary[id])
        #expect(table.contains(id))
        table[id] = "\(step)"
        dictionary[id] = "\(step)"
      default:
        // Mostly one of the newest: old calls stay, as watches do.
        let id = StreamID.random(in: (lastOpened > 40 ? lastOpened - 40 : 0)...lastOpened, using: &generator)
        #expect(table.removeValue(of: id) == dictionary.removeValue(forKey: id))
      }
      #expect(table.count == dictionary.count)
    }
    #expect(table.keys.sorted() == dictionary.keys.sorted())
    for id in 0...lastOpened { #expect(table[id] == dictionary[id]) }
  }

  @Test("number 0 is no call")
  func zero() {
    var table = StreamTable<Int>()
    table[0] = 1
    #expect(table.isEmpty)
    #expect(table[0] == nil)
    #expect(!table.contains(0))
  }
}
