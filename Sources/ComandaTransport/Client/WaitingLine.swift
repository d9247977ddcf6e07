import DequeModule

/// Those that wait, in the order in which they came. One that gives up leaves at once, from wherever it stands: thousands
/// may give up together, so that looking for each in the line would take too long.
struct WaitingLine<Element> {
  /// What stands for an element while it waits.
  typealias Ticket = UInt64

  private var elements: [Ticket: Element] = [:]
  /// The tickets of those that wait and, until they are cleared away, of some that left.
  private(set) var tickets: Deque<Ticket> = []
  private var lastTicket: Ticket = 0

  var count: Int {
    elements.count
  }

  var isEmpty: Bool {
    elements.isEmpty
  }

  /// All that wait, in any order.
  var all: some Collection<Element> {
    elements.values
  }

  mutating func append(_ element: Element) -> Ticket {
    lastTicket += 1
    elements[lastTicket] = element
    tickets.append(lastTicket)
    return lastTicket
  }

  mutating func popFirst() -> Element? {
    defer { clearAway() }
    while let ticket = tickets.popFirst() {
      if let element = elements.removeValue(forKey: ticket) { return element }
    }
    return nil
  }

  /// Takes one out that gave up; nothing if it left already.
  mutating func remove(_ ticket: Ticket) {
    elements[ticket] = nil
    clearAway()
  }

  /// Half of the tickets at a time, so that it costs each of them little.
  private mutating func clearAway() {
    guard tickets.count > 2 * elements.count + 64 else { return }
    tickets.removeAll { elements[$0] == nil }
  }
}
