/// The rules about what may trap, on the text of a file.
struct TrapRules {
  private let tokens: SwiftTokens
  private let names: KnownNames
  private var findings: Set<Finding> = []

  /// What a source breaks, in the order of its lines.
  static func findings(in source: String) -> [Finding] {
    let tokens = SwiftLexer.tokens(of: source)
    var rules = TrapRules(tokens: tokens, names: KnownNames(tokens))
    for run in tokens.runs {
      for index in run.indices { rules.check(index, of: run) }
    }
    let reasons = Reasons(tokens)
    return (rules.findings.filter { !$0.rule.isExcusable || !reasons.excuse($0) } + reasons.findings(rules.findings))
      .sorted { ($0.line, $0.rule.rawValue) < ($1.line, $1.rule.rawValue) }
  }

  private init(tokens: SwiftTokens, names: KnownNames) {
    self.tokens = tokens
    self.names = names
  }

  private mutating func check(_ index: Int, of run: [SwiftToken]) {
    let token = run[index]
    // An operator's own declaration is no use of it.
    if index > 0, run[index - 1].isWord("func") { return }
    let rule: Rule? =
      switch token.kind {
      case .infix: infix(index, of: run)
      case .prefix where token.text == "-": index + 1 < run.count && run[index + 1].kind == .number ? nil : .arithmetic
      case .postfix where token.text == "!": .trap
      case .word: word(index, of: run)
      case .mark where run.isSubscript(at: index): subscripting(index, of: run)
      default: nil
      }
    if let rule { findings.insert(Finding(line: token.line, rule: rule, token: token.text)) }
  }

  private func infix(_ index: Int, of run: [SwiftToken]) -> Rule? {
    switch run[index].text {
    case "+", "+=": joins(index, of: run) || isHarmless(index, of: run) ? nil : .arithmetic
    case "-", "*", "-=", "*=": isHarmless(index, of: run) ? nil : .arithmetic
    case "&+", "&-", "&*", "&+=", "&-=", "&*=": .wrappingArithmetic
    case "/", "%", "/=", "%=": dividesByLiteral(index, of: run) || isHarmless(index, of: run) ? nil : .division
    case "...", "..<": isRightRange(index, of: run) ? nil : .range
    default: nil
    }
  }

  /// Whether a `+` joins texts or lists: one side is enough, since both are of a kind.
  private func joins(_ index: Int, of run: [SwiftToken]) -> Bool {
    if index > 0, run.isJoined(endingAt: index - 1, names) { return true }
    return run.operandEnd(from: index + 1).map { run.isJoined(endingAt: $0, names) } ?? false
  }

  /// Whether both sides are numbers written out, which the compiler checks, or one of them, and so both, floating point,
  /// which does not trap. The `*` of `@available(*, …)` is no operator.
  private func isHarmless(_ index: Int, of run: [SwiftToken]) -> Bool {
    guard index > 0, let end = run.operandEnd(from: index + 1) else { return false }
    if run.isFloatingPoint(endingAt: index - 1) || run.isFloatingPoint(endingAt: end) { return true }
    if run[index + 1].kind == .number, run.isConstant(leftOf: index) { return true }
    return index > 1 && run[index - 2].isWord("@available")
  }

  private func dividesByLiteral(_ index: Int, of run: [SwiftToken]) -> Bool {
    index + 1 < run.count && run[index + 1].kind == .number && run[index + 1].text.contains { "123456789".contains($0) }
  }

  /// Whether both bounds are written out, or it counts from 0 up to a count.
  private func isRightRange(_ index: Int, of run: [SwiftToken]) -> Bool {
    guard index > 0, let end = run.operandEnd(from: index + 1) else { return false }
    // `[...]`: all elements.
    if run[index - 1].isMark("["), run[index + 1].isMark("]") { return true }
    if run.isLiteral(endingAt: index - 1), run.isLiteral(endingAt: end) { return true }
    return run[index - 1].text == "0" && run[index].text == "..<" && run[end].isWord("count")
  }

  static let integers: Set<String> = [
    "Int", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128",
  ]
  private static let traps: Set<String> = [
    "abort", "assert", "assertionFailure", "exit", "fatalError", "precondition", "preconditionFailure",
    "unsafelyUnwrapped",
  ]
  private static let truncations: Set<String> = ["truncatingIfNeeded", "numericCast", "uncheckedBounds"]
  private static let removals: Set<String> = ["remove", "removeFirst", "removeLast"]

  private func word(_ index: Int, of run: [SwiftToken]) -> Rule? {
    let word = run[index].text
    let isCalled = index + 1 < run.count && run[index + 1].isMark("(")
    let isMember = index > 0 && run[index - 1].isMark(".")
    if Self.traps.contains(word), isCalled || isMember { return .trap }
    if Self.removals.contains(word), isCalled { return removal(index, of: run) }
    if Self.truncations.contains(word) { return .truncation }
    if word == "uniqueKeysWithValues" { return .uniqueKeys }
    if Self.integers.contains(word) { return conversion(index, of: run) }
    return nil
  }

  private func conversion(_ index: Int, of run: [SwiftToken]) -> Rule? {
    var opening = index + 1
    if opening + 1 < run.count, run[opening].isMark("."), run[opening + 1].isWord("init") {
      opening += 2
      // Handed on as a function, it says not what it is given.
      guard opening < run.count, run[opening].isMark("("), run[opening].touchesPrevious else { return .conversion }
    }
    guard opening + 1 < run.count, run[opening].isMark("("), run[opening].touchesPrevious,
      let closing = run.partner(ofOpening: opening), closing > opening + 1
    else { return nil }
    let isLabelled = run[opening + 1].kind == .word && run[opening + 2].isMark(":") && run[opening + 2].touchesPrevious
    if isLabelled { return nil }
    if closing == opening + 2, run[opening + 1].kind == .number { return nil }
    if run.operandEnd(from: opening + 1) == closing - 1, fits(run[closing - 1], into: run[index].text) { return nil }
    return isOptional(index, closing, of: run) ? nil : .conversion
  }

  /// Whether what a name stands for fits into an integer type whatever it is: the number of something's elements, an
  /// enum's number, or an integer that is declared as of a smaller type.
  private func fits(_ name: SwiftToken, into type: String) -> Bool {
    guard name.kind == .word, let bits = Self.bits(of: type) else { return false }
    if name.text == "count" { return bits >= 63 }
    if name.text == "rawValue" { return type == "Int" || type == "Int64" }
    guard let declared = names.integers[name.text], let needed = Self.bits(of: declared) else { return false }
    return needed <= bits && (declared.hasPrefix("U") || !type.hasPrefix("U"))
  }

  /// How many bits there are for the size of a number, without its sign.
  private static func bits(of type: String) -> Int? {
    guard integers.contains(type) else { return nil }
    let width = Int(type.filter(\.isNumber)) ?? 64
    return type.hasPrefix("U") ? width : width - 1
  }

  /// `remove(at:)` and its like; `remove` of a set's element and `removeFirst(where:)` do not trap.
  private func removal(_ index: Int, of run: [SwiftToken]) -> Rule? {
    let isPlaced = index + 2 < run.count && run[index + 2].isWord("at")
    return run[index].text != "remove" || isPlaced ? .removal : nil
  }

  /// Whether a conversion reads a text, as what is done with its result shows.
  private func isOptional(_ first: Int, _ closing: Int, of run: [SwiftToken]) -> Bool {
    if closing + 1 < run.count {
      let next = run[closing + 1]
      if next.text == "??" || next.text == "?" && next.kind == .postfix { return true }
      if next.isMark("."), closing + 2 < run.count, ["map", "flatMap"].contains(run[closing + 2].text) { return true }
    }
    return first > 3 && run[first - 1].text == "=" && run[first - 3].isWord("let")
      && (["if", "guard", "while"].contains(run[first - 4].text) || run[first - 4].isMark(","))
  }

  /// Elements of dictionaries, by a key that is written out or with a default, are asked for without a trap.
  private func subscripting(_ index: Int, of run: [SwiftToken]) -> Rule? {
    guard let closing = run.partner(ofOpening: index), closing > index + 1 else { return nil }
    let first = run[index + 1]
    if first.kind == .text || first.isMark(".") || names.dictionaries.contains(run[index - 1].text) { return nil }
    if first.text == "...", closing == index + 2 { return nil }
    let hasDefault = (index..<closing).contains { run[$0].isWord("default") && run[$0 + 1].isMark(":") }
    return hasDefault ? nil : .subscripting
  }
}
