/// The text of cells: blanks, absent values, quotation in messages.
enum CellText {
  /// The place of the cell's text without blanks at its ends: ASCII blanks, no-break space, ideographic space.
  static func trimmed(_ cell: Span<UInt8>) -> Range<Int> {
    var start = 0
    var end = cell.count
    while start < end {
      let length = blankLength(cell, from: start, to: end)
      if length == 0 { break }
      start += length
    }
    while start < end {
      let length = blankLength(cell, endingAt: end, notBefore: start)
      if length == 0 { break }
      end -= length
    }
    return start..<end
  }

  /// The place of the trimmed text, or nil if it says nothing: empty, `NULL` or `\N`, as database exports write it.
  static func value(_ cell: Span<UInt8>) -> Range<Int>? {
    let place = trimmed(cell)
    switch place.count {
    case 0: return nil
    case 2 where equals(cell.extracting(place), "\\N"): return nil
    case 4 where equals(cell.extracting(place), "NULL"): return nil
    default: return place
    }
  }

  /// The trimmed text; empty if it says nothing.
  static func string(_ cell: Span<UInt8>) -> String {
    guard let place = value(cell) else { return "" }
    return exactString(cell.extracting(place))
  }

  /// The text with its blanks, bytes that are not UTF-8 replaced.
  static func exactString(_ text: Span<UInt8>) -> String {
    text.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }

  static func bytes(_ text: Span<UInt8>) -> [UInt8] {
    text.withUnsafeBufferPointer { Array($0) }
  }

  static func equals(_ text: Span<UInt8>, _ other: StaticString) -> Bool {
    guard text.count == other.utf8CodeUnitCount else { return false }
    return other.withUTF8Buffer { equals(text, $0.span) }
  }

  static func equals(_ text: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
    guard text.count == other.count else { return false }
    for offset in text.indices where text[offset] != other[offset] { return false }
    return true
  }

  /// The trimmed text in double quotes, short and on one line, fit for a message.
  static func quoted(_ cell: Span<UInt8>) -> String { quoted(exactString(cell.extracting(trimmed(cell)))) }

  /// The text in double quotes, short and on one line, fit for a message.
  static func quoted(_ text: String) -> String {
    let longest = 40
    var shown = ""
    for character in text.prefix(longest) {
      let isControl = character.unicodeScalars.contains { $0.properties.generalCategory == .control }
      // A character may have any number of combining marks.
      let isMonstrous = character.utf8.count > 32
      shown.append(isControl || isMonstrous ? "\u{FFFD}" : character)
    }
    return text.dropFirst(longest).isEmpty ? "\"\(shown)\"" : "\"\(shown)…\""
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private static func blankLength(_ text: Span<UInt8>, from start: Int, to end: Int) -> Int {
    let first = text[start]
    if first < 0x80 { return isBlank(first) ? 1 : 0 }
    if end - start >= 2, first == 0xC2, text[start + 1] == 0xA0 { return 2 }
    if end - start >= 3, first == 0xE3, text[start + 1] == 0x80, text[start + 2] == 0x80 { return 3 }
    return 0
  }

  private static func blankLength(_ text: Span<UInt8>, endingAt end: Int, notBefore start: Int) -> Int {
    let last = text[end - 1]
    if last < 0x80 { return isBlank(last) ? 1 : 0 }
    if end - start >= 2, last == 0xA0, text[end - 2] == 0xC2 { return 2 }
    if end - start >= 3, last == 0x80, text[end - 2] == 0x80, text[end - 3] == 0xE3 { return 3 }
    return 0
  }
}
