/// A piece of Swift source, as far as the rules of this target need to tell pieces apart.
struct SwiftToken: Equatable {
  enum Kind {
    /// An identifier or a keyword, also `$0`, `#file`, `@available` and what stands in backticks.
    case word
    case number
    /// A whole string literal. What is interpolated into it is a run of its own (``SwiftTokens/runs``).
    case text
    /// An operator that joins what is at its sides.
    case infix
    case prefix
    case postfix
    /// A bracket, comma, colon, semicolon, or the dot before a member.
    case mark
  }

  var kind: Kind
  var text: String
  /// The line on which it begins, from 1.
  var line: Int
  /// Whether it stands right after the token before, with nothing between them.
  var touchesPrevious: Bool

  func isMark(_ text: String) -> Bool { kind == .mark && self.text == text }
  func isWord(_ text: String) -> Bool { kind == .word && self.text == text }
}

/// The tokens of a source file.
struct SwiftTokens: Equatable {
  /// Runs of tokens: the file itself, and what is interpolated into each of its string literals.
  var runs: [[SwiftToken]] = []
  /// The text of the line comment at the end of a line, or of the line, by line number.
  var comments: [Int: String] = [:]
}
