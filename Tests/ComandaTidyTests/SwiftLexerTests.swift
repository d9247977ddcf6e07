import Testing

@Suite("The lexer")
struct SwiftLexerTests {
  private func words(_ source: String) -> [String] {
    SwiftLexer.tokens(of: source).runs.first?.map(\.text) ?? []
  }

  private func kinds(_ source: String, of text: String) -> [SwiftToken.Kind] {
    SwiftLexer.tokens(of: source).runs.joined().filter { $0.text == text }.map(\.kind)
  }

  @Test("comments are no tokens, also nested ones, and line comments are kept by their line")
  func comments() {
    let tokens = SwiftLexer.tokens(of: "a // + b\n/* - /* * */ \n ! */ c /// d")
    #expect(tokens.runs.first?.map(\.text) == ["a", "c"])
    #expect(tokens.runs.first?.map(\.line) == [1, 3])
    #expect(tokens.comments == [1: "// + b", 3: "/// d"])
  }

  @Test(
    "a string is one token",
    arguments: [
      #""a + b""#, #""a \" + \\""#, ##"#"a " \ + b"#"##, "\"\"\"\na \"+\" b\n\"\"\"", "\"\"", "\"// a\"",
      "\"\"\"\na \\\n  b\n\"\"\"", "\"\"\"\n\"\"\"",
    ])
  func texts(literal: String) {
    let tokens = SwiftLexer.tokens(of: "x = \(literal) ; y")
    #expect(tokens.runs.first?.map(\.text) == ["x", "=", "\"\"", ";", "y"])
    #expect(tokens.runs.count == 1)
    #expect(tokens.comments.isEmpty)
  }

  @Test("what is interpolated into a string is a run of its own, to any depth")
  func interpolations() {
    let tokens = SwiftLexer.tokens(of: #"f("a \(b + g("\(c * d)")) e")"#)
    #expect(
      tokens.runs.map { $0.map(\.text) } == [
        ["f", "(", "\"\"", ")"], ["c", "*", "d"], ["b", "+", "g", "(", "\"\"", ")"],
      ])
  }

  @Test("only the escape with as many number signs interpolates")
  func rawInterpolations() {
    let tokens = SwiftLexer.tokens(of: ##"#"\(a) \#(b)"#"##)
    #expect(tokens.runs.map { $0.map(\.text) } == [["\"\""], ["b"]])
  }

  @Test("lines are counted through strings and comments")
  func lines() {
    let tokens = SwiftLexer.tokens(of: "\"\"\"\n\\(a\n+ b)\n\"\"\" + c\n/*\n*/ d")
    #expect(tokens.runs.first?.map(\.line) == [1, 4, 4, 6])
    #expect(tokens.runs.last?.map(\.line) == [2, 3, 3])
  }

  @Test("an operator joins what is at both its sides, or belongs to the one it touches")
  func fixity() {
    #expect(kinds("a - b", of: "-") == [.infix])
    #expect(kinds("a-b", of: "-") == [.infix])
    #expect(kinds("f(-b, [-c])", of: "-") == [.prefix, .prefix])
    #expect(kinds("reduce(0, +)", of: "+") == [.infix])
    #expect(kinds("a! + b!.c; d![0]", of: "!") == [.postfix, .postfix, .postfix])
    #expect(kinds("!a && (!b)", of: "!") == [.prefix, .prefix])
    #expect(kinds("a != b", of: "!=") == [.infix])
    #expect(kinds("try! f(); x as! Int", of: "!") == [.postfix, .postfix])
    #expect(kinds("a[1...]; b[...c]", of: "...") == [.postfix, .prefix])
  }

  @Test("a dot belongs to a number only before a digit")
  func numbers() {
    #expect(words("1.5 + 1.max + 0x1F...2") == ["1.5", "+", "1", ".", "max", "+", "0x1F", "...", "2"])
  }

  @Test("attributes, directives and quoted names are words")
  func attributes() {
    #expect(words("@available #if `default` $0") == ["@available", "#if", "`default`", "$0"])
  }
}
