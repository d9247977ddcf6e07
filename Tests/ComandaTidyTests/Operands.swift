/// What stands at the sides of an operator.
extension [SwiftToken] {
  /// The bracket that closes the one at `index`.
  func partner(ofOpening index: Int) -> Int? {
    var depth = 0
    for place in index..<count where self[place].kind == .mark {
      if "([{".contains(self[place].text) { depth += 1 }
      if ")]}".contains(self[place].text) { depth -= 1 }
      if depth == 0 { return place }
    }
    return nil
  }

  /// The bracket that opens the one at `index`.
  func partner(ofClosing index: Int) -> Int? {
    var depth = 0
    for place in (0...index).reversed() where self[place].kind == .mark {
      if ")]}".contains(self[place].text) { depth += 1 }
      if "([{".contains(self[place].text) { depth -= 1 }
      if depth == 0 { return place }
    }
    return nil
  }

  /// Whether a mark stands between two brackets and inside of no others.
  func hasMark(_ mark: String, directlyIn opening: Int, _ closing: Int) -> Bool {
    var place = opening + 1
    while place < closing {
      if self[place].isMark(mark) { return true }
      if self[place].kind == .mark, "([{".contains(self[place].text), let end = partner(ofOpening: place) {
        place = end
      }
      place += 1
    }
    return false
  }

  /// Whether `[` at `index` asks for an element, rather than to begin a list or a type.
  func isSubscript(at index: Int) -> Bool {
    guard index > 0, self[index].isMark("["), self[index].touchesPrevious else { return false }
    let receiver = self[index - 1]
    return receiver.kind == .word || receiver.isMark(")") || receiver.isMark("]")
      || receiver.kind == .postfix && (receiver.text == "?" || receiver.text == "!")
  }

  /// The last token of the operand that begins at `index`: `try await store.name(of: id)[0]` ends with its last bracket.
  func operandEnd(from index: Int) -> Int? {
    var place = index
    while place < count, self[place].kind == .prefix || self[place].isWord("try") || self[place].isWord("await") {
      place += 1
    }
    if place < count, self[place].isMark(".") { place += 1 }
    guard place < count else { return nil }
    if self[place].kind == .mark {
      guard let end = partner(ofOpening: place) else { return nil }
      place = end
    }
    while place + 1 < count, self[place + 1].touchesPrevious {
      let next = self[place + 1]
      if next.isMark("."), place + 2 < count {
        place += 2
      } else if next.isMark("(") || next.isMark("["), let end = partner(ofOpening: place + 1) {
        place = end
      } else if next.kind == .postfix {
        place += 1
      } else {
        break
      }
    }
    return place
  }

  /// Whether the operand that ends at `index` is a text or a list, by its own looks or by what is known of its name.
  func isJoined(endingAt index: Int, _ names: KnownNames) -> Bool {
    let last = self[index]
    switch last.kind {
    case .text: return true
    case .word: return names.joined.contains(last.text)
    case .mark where last.text == "]":
      return partner(ofClosing: index).map { !isSubscript(at: $0) } ?? false
    case .mark where last.text == ")":
      guard let opening = partner(ofClosing: index), opening > 0, self[opening].touchesPrevious else { return false }
      return ["String", "Array", "joined"].contains(self[opening - 1].text)
    default: return false
    }
  }

  /// Whether the operand that ends at `index` is written out: a number, a text, or `UInt8(ascii: "a")`.
  func isLiteral(endingAt index: Int) -> Bool {
    if self[index].kind == .number || self[index].kind == .text { return true }
    guard self[index].isMark(")"), let opening = partner(ofClosing: index), opening > 0 else { return false }
    return index == opening + 4 && self[opening + 1].isWord("ascii") && self[opening - 1].isWord("UInt8")
  }

  /// Whether the operand that ends at `index` is a `Double`, by its own looks.
  func isFloatingPoint(endingAt index: Int) -> Bool {
    if self[index].kind == .number { return self[index].text.contains(".") }
    guard self[index].isMark(")"), let opening = partner(ofClosing: index), opening > 0 else { return false }
    return self[opening].touchesPrevious && self[opening - 1].isWord("Double")
  }

  /// Whether all that is multiplied or added up to the left of the operator at `index` are numbers written out.
  func isConstant(leftOf index: Int) -> Bool {
    var place = index
    while place > 0 {
      guard self[place - 1].kind == .number else { return false }
      guard place > 1, self[place - 2].kind == .infix, "+-*/%".contains(self[place - 2].text) else { return true }
      place -= 2
    }
    return false
  }
}
