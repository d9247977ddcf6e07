/// Cuts Swift source into tokens: enough of the language's lexical structure to know comments and strings from code, and
/// to know the sides of an operator.
///
/// Source: The Swift Programming Language, "Lexical Structure". Regular expression literals are not known to it.
struct SwiftLexer {
  private let bytes: [UInt8]
  private var place = 0
  private var line = 1
  private var tokens = SwiftTokens()

  static func tokens(of source: String) -> SwiftTokens {
    var lexer = SwiftLexer(bytes: Array(source.utf8))
    let file = lexer.run(endsAtParenthesis: false)
    lexer.tokens.runs.insert(file, at: 0)
    return lexer.tokens
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Reads to the end, or to the parenthesis that ends an interpolation.
  private mutating func run(endsAtParenthesis: Bool) -> [SwiftToken] {
    var run: [SwiftToken] = []
    var depth = 0
    var previousEnd = -1
    while let byte = peek() {
      if skipBlank(byte) { continue }
      let start = place
      let startLine = line
      let kind: SwiftToken.Kind
      var quoted: String?
      if Self.isWord(byte) || byte == Ascii.backtick {
        kind = Self.isDigit(byte) ? .number : .word
        kind == .number ? readNumber() : readWord()
      } else if byte == Ascii.quote || byte == Ascii.hash && poundsBeforeQuote() != nil {
        kind = .text
        readText()
        quoted = "\"\""
      } else if byte == Ascii.hash || byte == Ascii.at {
        kind = .word
        place += 1
        readWord()
      } else if Self.isOperator(byte) || byte == Ascii.dot && peek(1) == Ascii.dot {
        readOperator(startsWithDot: byte == Ascii.dot)
        kind = fixity(start: start)
      } else {
        if byte == Ascii.open { depth += 1 }
        if byte == Ascii.close {
          if depth == 0, endsAtParenthesis { return run }
          depth -= 1
        }
        kind = .mark
        place += 1
      }
      run.append(
        SwiftToken(
          kind: kind, text: quoted ?? String(decoding: bytes[start..<place], as: UTF8.self), line: startLine,
          touchesPrevious: start == previousEnd))
      previousEnd = place
    }
    return run
  }

  private func peek(_ distance: Int = 0) -> UInt8? {
    place + distance < bytes.count ? bytes[place + distance] : nil
  }

  /// Skips white space or a comment.
  private mutating func skipBlank(_ byte: UInt8) -> Bool {
    if byte == Ascii.newline {
      line += 1
      place += 1
    } else if byte <= Ascii.blank {
      place += 1
    } else if byte == Ascii.slash, peek(1) == Ascii.slash {
      let start = place
      while let next = peek(), next != Ascii.newline { place += 1 }
      tokens.comments[line] = String(decoding: bytes[start..<place], as: UTF8.self)
    } else if byte == Ascii.slash, peek(1) == Ascii.star {
      skipBlockComment()
    } else {
      return false
    }
    return true
  }

  private mutating func skipBlockComment() {
    var depth = 0
    while let byte = peek() {
      if byte == Ascii.newline { line += 1 }
      if byte == Ascii.slash, peek(1) == Ascii.star {
        depth += 1
        place += 2
      } else if byte == Ascii.star, peek(1) == Ascii.slash {
        depth -= 1
        place += 2
        if depth == 0 { return }
      } else {
        place += 1
      }
    }
  }

  private mutating func readWord() {
    while let byte = peek(), Self.isWord(byte) || byte == Ascii.backtick { place += 1 }
  }

  /// A number, with its fraction: a dot belongs to it only before a digit.
  private mutating func readNumber() {
    while let byte = peek() {
      let isFraction = byte == Ascii.dot && peek(1).map(Self.isDigit) == true
      guard Self.isWord(byte) || isFraction else { return }
      place += 1
    }
  }

  private mutating func readOperator(startsWithDot: Bool) {
    while let byte = peek(), Self.isOperator(byte) || startsWithDot && byte == Ascii.dot {
      // A comment may begin right behind an operator.
      if byte == Ascii.slash, peek(1) == Ascii.slash || peek(1) == Ascii.star { return }
      place += 1
      // `!` and `?` behind an operand are operators of their own: `first!-1`, `Int?=`.
      if byte == Ascii.exclamation || byte == Ascii.question, peek() == Ascii.dot || peek() == Ascii.close { return }
    }
  }

  /// An operator with something at both sides, or at none, joins them; else it belongs to the side that it touches.
  private func fixity(start: Int) -> SwiftToken.Kind {
    let isLeftBound = start > 0 && !Self.opens(bytes[start - 1])
    // Also before what would else make it join: `first![0]`, `first?[0]`.
    if isLeftBound, place - start == 1, bytes[start] == Ascii.exclamation || bytes[start] == Ascii.question {
      return .postfix
    }
    let isRightBound = peek().map { !Self.closes($0) && !(isLeftBound && $0 == Ascii.dot) } ?? false
    if isLeftBound == isRightBound { return .infix }
    return isLeftBound ? .postfix : .prefix
  }

  /// How many `#` stand here before a quotation mark; nil when none follows.
  private func poundsBeforeQuote() -> Int? {
    var count = 0
    while peek(count) == Ascii.hash { count += 1 }
    return peek(count) == Ascii.quote ? count : nil
  }

  private mutating func readText() {
    let pounds = poundsBeforeQuote() ?? 0
    place += pounds
    let isMultiline = peek(1) == Ascii.quote && peek(2) == Ascii.quote
    let quotes = isMultiline ? 3 : 1
    place += quotes
    while let byte = peek() {
      if byte == Ascii.quote, (0..<quotes).allSatisfy({ peek($0) == Ascii.quote }),
        (0..<pounds).allSatisfy({ peek(quotes + $0) == Ascii.hash })
      {
        place += quotes + pounds
        return
      }
      if byte == Ascii.backslash, (0..<pounds).allSatisfy({ peek(1 + $0) == Ascii.hash }) {
        readEscape(pounds: pounds)
      } else {
        if byte == Ascii.newline { line += 1 }
        place += 1
      }
    }
  }

  /// A backslash in a string: what it escapes, or what is interpolated.
  private mutating func readEscape(pounds: Int) {
    place += 1 + pounds
    guard peek() == Ascii.open else {
      if peek() == Ascii.newline { line += 1 }
      place += 1
      return
    }
    place += 1
    let interpolated = run(endsAtParenthesis: true)
    place += 1
    tokens.runs.append(interpolated)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  private static func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte >= 0x41 && byte <= 0x5A || byte >= 0x61 && byte <= 0x7A || byte == 0x5F || byte == 0x24
      || byte >= 0x80
  }

  private static let operators = Set("/=-+!*%<>&|^~?".utf8)
  private static let openers = Set("([{,;: \t\n".utf8)
  private static let closers = Set(")]},;: \t\n".utf8)

  private static func isOperator(_ byte: UInt8) -> Bool { operators.contains(byte) }
  private static func opens(_ byte: UInt8) -> Bool { openers.contains(byte) }
  private static func closes(_ byte: UInt8) -> Bool { closers.contains(byte) }
}

private enum Ascii {
  static let at = UInt8(ascii: "@")
  static let backslash = UInt8(ascii: "\\")
  static let backtick = UInt8(ascii: "`")
  static let blank = UInt8(ascii: " ")
  static let close = UInt8(ascii: ")")
  static let dot = UInt8(ascii: ".")
  static let exclamation = UInt8(ascii: "!")
  static let hash = UInt8(ascii: "#")
  static let newline = UInt8(ascii: "\n")
  static let open = UInt8(ascii: "(")
  static let question = UInt8(ascii: "?")
  static let quote = UInt8(ascii: "\"")
  static let slash = UInt8(ascii: "/")
  static let star = UInt8(ascii: "*")
}
