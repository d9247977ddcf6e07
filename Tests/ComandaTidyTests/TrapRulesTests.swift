import Testing

@Suite("Rules about traps")
struct TrapRulesTests {
  private func rules(_ source: String) -> [Rule] {
    TrapRules.findings(in: source).map(\.rule)
  }

  @Test(
    "arithmetic that may trap is found",
    arguments: [
      "a + b", "a - 1", "a * b", "a += 1", "a -= b", "a *= 2", "-a", "rows.reduce(0, +)", "(a + b).c", "f(a)[0] + g(b)",
      "a * 24 * 1024", "\"\\(a + b)\"", "names.count + 1", "let names: [Int]; names[\"\"] + 1", "\"abc\".count + n",
      "[1, 2].count + n", "index + 1..<2", "let count: [Int]; let b: Int; func f(count: Int) { count + b }",
    ])
  func arithmetic(source: String) {
    #expect(rules(source).contains(.arithmetic))
  }

  @Test(
    "texts, lists, constants and floating point are not",
    arguments: [
      "a + \"b\"", "\"a\" + b", "\"a\" + b + \"c\"", "key + [.id(business)]", "[a] + b", "[a]\n  + b", "a += [b]",
      "a += \"b\"", "[(SQL.stageAdvance, advance)] + closing", "let name: String; f(name + other)",
      "var rows = [Row](); rows += more", "func f(closing: [Statement]) { closing + others }", "String(a) + b",
      "a.joined(separator: \",\") + b", "256 * 1024", "24 * 1024 * 1024", "-1", "f(-1, [-2])", "Double(a) * b",
      "a / Double(b)", "0.5 * a", "@available(*, unavailable)", "static func + (left: A, right: A) -> A { left }",
      "() -> Void", "// a + b", "/* a + b */", "\"a + b\"", "\"\"\"\na + b\n\"\"\"", "#\"a \\(b + c)\"#",
    ])
  func concatenation(source: String) {
    #expect(rules(source) == [])
  }

  @Test("wrapping arithmetic is found", arguments: ["a &+ b", "a &-= 1", "hash &*= prime"])
  func wrapping(source: String) {
    #expect(rules(source) == [.wrappingArithmetic])
  }

  @Test("division is found unless by a number that is not 0")
  func division() {
    #expect(rules("a / b") == [.division])
    #expect(rules("a % b.c") == [.division])
    #expect(rules("a / 0") == [.division])
    #expect(rules("a /= 1_000; a % 0x10; a / 60 % 60") == [])
  }

  @Test("a range between values is found")
  func ranges() {
    #expect(rules("a...b") == [.range])
    #expect(rules("1..<limit") == [.range])
    #expect(rules("0...rows.count") == [.range])
    #expect(rules("for index in 0..<rows.count {}; for _ in 0..<count {}") == [])
    #expect(rules("case 1...9: 0x20..<0x7F; case UInt8(ascii: \"a\")...UInt8(ascii: \"f\"): \"a\"...\"z\"") == [])
    #expect(rules("text[...]; bytes[8...]") == [.subscripting])
  }

  @Test("a conversion that may not fit is found")
  func conversions() {
    #expect(rules("Int64(seconds)") == [.conversion])
    #expect(rules("Int64((rate * 1.5).rounded())") == [.conversion])
    #expect(rules("Int32(rows.count)") == [.conversion])
    #expect(rules("values.map(Int.init)") == [.conversion])
    #expect(rules("Int.init(value)") == [.conversion])
    #expect(rules("func f(number: Int64) { Int32(number) }") == [.conversion])
    #expect(rules("func f(number: Int32) { UInt64(number) }") == [.conversion])
    #expect(rules("func f(number: Int32) {}; func g(number: Double) { Int(number) }") == [.conversion])
  }

  @Test(
    "one that always fits, or that says what happens else, is not",
    arguments: [
      "Int64(exactly: seconds)", "Int32(clamping: rows.count)", "Int64(rows.count)", "Int(status.rawValue)", "Int64(0)",
      "UInt8(ascii: \"a\")", "UInt64(bitPattern: a)", "func f(number: Int32) { Int64(number) }",
      "func f(number: UInt8) { Int16(number) }", "Int(text) ?? 0", "Int(text, radix: 16) ?? 0",
      "guard let n = Int(text) else { return }", "if a, let n = Int64(text) {}", "Int(text).map { f($0) }",
      "values.map(Int.init(clamping:))", "let a: Int", "[Int]()", "MemoryLayout<Int>.size",
    ])
  func fittingConversions(source: String) {
    #expect(rules(source) == [])
  }

  @Test("bits that are dropped, and keys that must be unique, are found")
  func truncation() {
    #expect(rules("UInt8(truncatingIfNeeded: a)") == [.truncation])
    #expect(rules("numericCast(a)") == [.truncation])
    #expect(rules("Dictionary(uniqueKeysWithValues: pairs)") == [.uniqueKeys])
    #expect(rules("Dictionary(pairs, uniquingKeysWith: { first, _ in first })") == [])
  }

  @Test("an element by an index is found")
  func subscripts() {
    #expect(rules("rows[index]") == [.subscripting])
    #expect(rules("f(a)[0]") == [.subscripting])
    #expect(rules("rows?[0]") == [.subscripting])
    #expect(rules("let rows: [Row]; rows[i]") == [.subscripting])
    #expect(rules("let rows: [Int: Row]; func f(rows: [Row]) { rows[i] }") == [.subscripting])
  }

  @Test(
    "one of a dictionary is not",
    arguments: [
      "facts[\"etag\"] = tag", "values[.name]", "counts[key, default: 0]", "let rows: [Int: Row] = [:]; rows[i]",
      "var rows = [:]; rows[i]", "let rows = Mutex<[ID: Row]>([:]); rows.withLock { rows in rows[id] }",
      "let rows = Dictionary(pairs) { first, _ in first }; rows[id]", "let a: [Row] = [b]", "f([a]); return [b]",
      "static let table: [(Int, String)] = [(1, \"\")]",
    ])
  func dictionaries(source: String) {
    #expect(rules(source) == [])
  }

  @Test("the removal of what may not be there is found")
  func removals() {
    #expect(rules("rows.removeFirst()") == [.removal])
    #expect(rules("removeLast(count)") == [.removal])
    #expect(rules("rows.remove(at: index)") == [.removal])
    #expect(rules("names.remove(name); rows.removeAll(); rows.popLast()") == [])
  }

  @Test(
    "what ends the process on purpose is found, and no reason excuses it",
    arguments: [
      "a!", "a!.b", "a![0]", "try! f()", "a as! B", "var a: B!", "fatalError()", "precondition(a > 0)", "exit(1)",
      "a.unsafelyUnwrapped",
    ])
  func traps(source: String) {
    #expect(rules("\(source)  // bounded: never").contains(.trap))
  }

  @Test("what only looks like it is not", arguments: ["!a", "a != b", "if !a {}", "\"a!\"", "let exit = 1; f(exit)"])
  func noTraps(source: String) {
    #expect(rules(source) == [])
  }

  @Test("a finding says where and what")
  func descriptions() {
    let finding = TrapRules.findings(in: "let a = b\nlet c = a + b").first
    #expect(finding == Finding(line: 2, rule: .arithmetic, token: "+"))
    #expect(finding?.description.hasPrefix("line 2: `+`: may trap; use ") == true)
  }
}
