/// The reasons that a source gives: `// bounded: why` at the end of a line, or above it. One above a function or an
/// initializer speaks for its whole body: for those whose arithmetic has one bound in common.
struct Reasons {
  private struct Reason {
    var isEmpty: Bool
    /// The lines that it speaks for.
    var lines: Set<Int>
    /// The line where it stands.
    var line: Int
  }

  private var reasons: [Reason] = []

  init(_ tokens: SwiftTokens) {
    let code = Set(tokens.runs.joined().map(\.line))
    for (line, comment) in tokens.comments {
      guard let reason = Self.reason(in: comment) else { continue }
      var lines: Set<Int> = [line]
      if !code.contains(line) {
        // The rest of the comment, and the line below it.
        var next = line + 1
        while !code.contains(next), tokens.comments[next] != nil { next += 1 }
        lines = Self.body(ofFunctionAt: next, tokens.runs.first ?? []) ?? [next]
      }
      reasons.append(Reason(isEmpty: reason.isEmpty, lines: lines, line: line))
    }
  }

  /// The lines of the function whose declaration begins on a line; nil when none does.
  private static func body(ofFunctionAt line: Int, _ run: [SwiftToken]) -> Set<Int>? {
    guard
      let name = run.firstIndex(where: { $0.line == line && ($0.isWord("func") || $0.isWord("init")) }),
      !run[max(name - 1, 0)].isMark("."),
      let opening = run[name...].firstIndex(where: { $0.isMark("{") }), let closing = run.partner(ofOpening: opening)
    else { return nil }
    return Set(line...run[closing].line)
  }

  private static func reason(in comment: String) -> String? {
    guard let start = comment.firstRange(of: "bounded:") else { return nil }
    guard comment[..<start.lowerBound].allSatisfy({ $0 == "/" || $0 == " " }) else { return nil }
    return comment[start.upperBound...].filter { $0 != " " }
  }

  /// Whether a reason speaks for the line of a finding.
  func excuse(_ finding: Finding) -> Bool {
    reasons.contains { $0.lines.contains(finding.line) }
  }

  /// What is wrong with the reasons themselves, seen what there is to excuse.
  func findings(_ excused: Set<Finding>) -> [Finding] {
    let lines = Set(excused.filter(\.rule.isExcusable).map(\.line))
    return reasons.compactMap { reason in
      if reason.isEmpty { return Finding(line: reason.line, rule: .emptyReason, token: "bounded:") }
      return reason.lines.isDisjoint(with: lines)
        ? Finding(line: reason.line, rule: .needlessReason, token: "bounded:") : nil
    }
  }
}
