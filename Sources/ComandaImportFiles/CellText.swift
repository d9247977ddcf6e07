/// The text of cells: blanks, absent values, quotation in messages.
enum CellText {
  /// The cell without blanks at its ends: ASCII blanks, no-break space, ideographic space.
  static func trimmed(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var start = cell.startIndex
    var end = cell.endIndex
    while start < end {
      let length = blankLength(atStartOf: cell[start..<end])
      if length == 0 { break }
      start += length
    }
    while start < end {
      let length = blankLength(atEndOf: cell[start..<end])
      if length == 0 { break }
      end -= length
    }
    return cell[start..<end]
  }

  /// The trimmed cell, or nil if it says nothing: empty, `NULL` or `\N`, as database exports write it.
  static func value(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let content = trimmed(cell)
    switch content.count {
    case 0: return nil
    case 2 where content.elementsEqual(escapedNull): return nil
    case 4 where content.elementsEqual(null): return nil
    default: return content
    }
  }

  static func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// The text in double quotes, short and on one line, fit for a message.
  static func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    let longest = 40
    var text = ""
    var count = 0
    for character in String(decoding: bytes.prefix(4 * longest), as: UTF8.self) {
      if count == longest { break }
      let isControl = character.unicodeScalars.contains { $0.properties.generalCategory == .control }
      text.append(isControl ? "\u{FFFD}" : character)
      count += 1
    }
    return count == longest || bytes.count > 4 * longest ? "\"\(text)…\"" : "\"\(text)\""
  }

  private static let noBreakSpace: [UInt8] = [0xC2, 0xA0]
  private static let ideographicSpace: [UInt8] = [0xE3, 0x80, 0x80]
  private static let null = Array("NULL".utf8)
  private static let escapedNull = Array("\\N".utf8)

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private static func blankLength(atStartOf text: ArraySlice<UInt8>) -> Int {
    guard let first = text.first else { return 0 }
    if first < 0x80 { return isBlank(first) ? 1 : 0 }
    return [noBreakSpace, ideographicSpace].first { text.starts(with: $0) }?.count ?? 0
  }

  private static func blankLength(atEndOf text: ArraySlice<UInt8>) -> Int {
    guard let last = text.last else { return 0 }
    if last < 0x80 { return isBlank(last) ? 1 : 0 }
    return [noBreakSpace, ideographicSpace].first { text.suffix($0.count).elementsEqual($0) }?.count ?? 0
  }
}
