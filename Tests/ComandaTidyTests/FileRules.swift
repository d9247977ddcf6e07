/// The rules about what files are called and how long they are.
enum FileRules {
  /// Names that say nothing of what is inside; what has them gathers whatever has no other place.
  private static let emptyNames = ["Common", "Helper", "Helpers", "Manager", "Util", "Utilities", "Utils"]

  /// The longest file; a longer one holds more than one idea.
  static let lineLimit = 600

  /// Files that are longer, and why they stay whole.
  static let exceptions = [
    "Sources/ComandaWire/ConnectionStateMachine.swift": "one state machine: its transitions are read together"
  ]

  /// The part of a path that names nothing; nil when each part does.
  static func emptyName(in path: String) -> String? {
    path.split(separator: "/").lazy.map(String.init).first { part in
      let name = part.prefix { $0 != "." }
      return emptyNames.contains { isWord($0, endOf: name) }
    }
  }

  /// Whether the name is that word, or ends in it: `Utils`, `StringUtils`, `Order+Helpers`.
  private static func isWord(_ word: String, endOf name: Substring) -> Bool {
    guard name.hasSuffix(word) else { return false }
    return name.dropLast(word.count).last.map { $0.isLowercase || !$0.isLetter } ?? true
  }

  /// What is wrong with a file's length; nil when nothing is.
  static func lengthProblem(of path: String, lines: Int, exceptions: [String: String] = exceptions) -> String? {
    switch (lines > lineLimit, exceptions[path]) {
    case (true, nil): "\(path) has \(lines) lines; at most \(lineLimit) are allowed: divide it by its ideas"
    case (false, .some): "\(path) has \(lines) lines, so it needs no exception"
    default: nil
    }
  }
}
