/// Breaks the lines of a comment that are too long for where it goes.
enum CommentText {
  /// The lines, none longer than `width` if its words allow it. What is cut off a line goes to the front of the next
  /// one where that goes on with the same paragraph or list item, and to a line of its own otherwise.
  static func wrapped(_ lines: [String], width: Int) -> [String] {
    var wrapped: [String] = []
    var rest: Substring?
    for next in lines {
      var line = next[...]
      if let cut = rest {
        if continues(next, cut) {
          line = cut + next.drop { $0 == " " }
        } else {
          wrapped.append(String(cut.dropLast()))
        }
      }
      rest = nil
      while let end = breakPoint(in: line, width: width) {
        wrapped.append(String(line[..<end]))
        line = String(repeating: " ", count: hangingIndentation(of: line)) + line[end...].drop { $0 == " " }
        rest = line + " "
      }
      if rest == nil { wrapped.append(String(line)) }
    }
    if let rest { wrapped.append(String(rest.dropLast())) }
    return wrapped
  }

  /// The last blank between two words that keeps the line within the width, or else the first one; nil for a line that
  /// fits or that has one word.
  private static func breakPoint(in line: Substring, width: Int) -> Substring.Index? {
    guard line.count > width else { return nil }
    let text = line.dropFirst(hangingIndentation(of: line))
    let limit = line.index(line.startIndex, offsetBy: width + 1)
    return line[text.startIndex..<max(text.startIndex, limit)].lastIndex(of: " ") ?? text.firstIndex(of: " ")
  }

  /// How far the text of a line is indented, the mark of a list item included.
  private static func hangingIndentation(of line: Substring) -> Int {
    line.prefixMatch(of: #/ *(?:(?:[-*]|[0-9]+\.) +)?/#)?.count ?? 0
  }

  /// Whether a line goes on with the paragraph or the list item that `rest` was cut off from.
  private static func continues(_ line: String, _ rest: Substring) -> Bool {
    let indentation = line.prefix { $0 == " " }.count
    return indentation < line.count && indentation == hangingIndentation(of: line[...])
      && indentation == hangingIndentation(of: rest)
  }
}
