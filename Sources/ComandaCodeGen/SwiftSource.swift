/// Swift text in the making: knows its indentation, and lays out what does not fit on a line.
struct SwiftSource {
  private static let lineLength = 120
  private static let indentationWidth = 2

  /// The text so far.
  private(set) var text = ""
  private var depth = 0

  private var indentation: String {
    String(repeating: " ", count: depth * Self.indentationWidth)
  }

  /// Adds a line; an empty one gets no indentation.
  mutating func line(_ line: String = "") {
    text += line.isEmpty ? "\n" : indentation + line + "\n"
  }

  /// Adds `opening {`, the indented body, and `}`.
  mutating func block(_ opening: String, _ body: (inout SwiftSource) throws -> Void) rethrows {
    line(opening + " {")
    try indented(body)
    line("}")
  }

  /// Adds what `body` adds, indented by one step.
  mutating func indented(_ body: (inout SwiftSource) throws -> Void) rethrows {
    depth += 1
    defer { depth -= 1 }
    try body(&self)
  }

  /// Adds `opening` + elements + `closing`: on one line if it fits, one element a line otherwise.
  mutating func list(_ opening: String, _ elements: [String], _ closing: String, trailingComma: Bool = false) {
    let flat = opening + elements.joined(separator: ", ") + closing
    guard indentation.count + flat.count > Self.lineLength, let last = elements.last else { return line(flat) }
    line(opening)
    indented { source in
      for element in elements.dropLast() { source.line(element + ",") }
      source.line(trailingComma ? last + "," : last)
    }
    line(closing)
  }

  /// Adds a documentation comment. The author's line breaks stay as long as the lines fit.
  mutating func documentation(_ lines: [String]) {
    for line in CommentText.wrapped(lines, width: Self.lineLength - indentation.count - "/// ".count) {
      self.line(line.isEmpty ? "///" : "/// " + line)
    }
  }
}
