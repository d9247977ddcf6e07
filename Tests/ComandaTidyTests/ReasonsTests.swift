import Testing

@Suite("Reasons")
struct ReasonsTests {
  private func findings(_ source: String) -> [Finding] {
    TrapRules.findings(in: source)
  }

  @Test(
    "a reason at the end of the line or above it excuses",
    arguments: [
      "a + b  // bounded: at most 10", "// bounded: at most 10\na + b", "f(\n  // bounded: at most 10\n  a + b)",
      "// bounded: at most 10,\n// since there are ten\na + b", "// Why.\n// bounded: at most 10\na + b",
      "a + b + c  // bounded: at most 10",
    ])
  func excuses(source: String) {
    #expect(findings(source) == [])
  }

  @Test("one above a function excuses its whole body, and nothing below")
  func functions() {
    let function = "// bounded: at most 10\nfunc f() {\n  a + b\n  if c { d - e }\n}\n"
    #expect(findings(function) == [])
    #expect(findings("// bounded: at most 10\n  init(a: Int) {\n  b = a + c\n}") == [])
    #expect(findings("\(function)a + b").map(\.line) == [6])
    #expect(findings("// bounded: at most 10\nguard a + b else {\n  c + d\n}").map(\.line) == [3])
  }

  @Test("one elsewhere does not")
  func elsewhere() {
    let sum = Finding(line: 2, rule: .arithmetic, token: "+")
    let reason = Finding(line: 1, rule: .needlessReason, token: "bounded:")
    #expect(findings("c  // bounded: at most 10\na + b") == [reason, sum])
    #expect(findings("c\na + b\n// bounded: at most 10\n").contains(sum))
    #expect(findings("c\na + b  // at most 10, bounded: so") == [sum])
    #expect(findings("c\na + b  // not bounded") == [sum])
    #expect(findings("c\na + \"// bounded: a\".count").contains(sum))
  }

  @Test("one that says nothing is found")
  func empty() {
    #expect(findings("a + b  // bounded:").map(\.rule) == [.emptyReason])
  }

  @Test("one that excuses nothing is found")
  func needless() {
    #expect(findings("a.append(b)  // bounded: at most 10").map(\.rule) == [.needlessReason])
    #expect(findings("fatalError()  // bounded: never").map(\.rule) == [.needlessReason, .trap])
  }
}
