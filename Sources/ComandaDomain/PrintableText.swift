extension String {
  /// The text with control, format and separator characters replaced, for a text that is shown but need not come back as
  /// it was: what moves a cursor or reorders letters on a terminal goes. A tab or line break becomes a blank, anything
  /// else U+FFFD.
  public var withoutControlCharacters: String {
    guard unicodeScalars.contains(where: \.isControlling) else { return self }
    var text = String.UnicodeScalarView()
    for scalar in unicodeScalars {
      let isBlank = scalar == "\t" || scalar == "\n" || scalar == "\r"
      text.append(!scalar.isControlling ? scalar : isBlank ? " " : "\u{FFFD}")
    }
    return String(text)
  }
}

extension Unicode.Scalar {
  /// Whether the scalar is of category Cc, Cf, Zl or Zp. The joiner within an emoji is part of what
  /// is seen, and stays.
  fileprivate var isControlling: Bool {
    if isASCII { return value < 0x20 || value == 0x7F }
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: return true
    case .format: return value != 0x200D
    default: return false
    }
  }
}
