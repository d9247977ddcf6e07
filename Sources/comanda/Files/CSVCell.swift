/// A cell of a CSV file.
enum CSVCell {
  /// The cell, quoted where that is needed. What a spreadsheet would run as a formula gets an apostrophe in front.
  static func encoded(_ cell: [UInt8]) -> [UInt8] {
    var content = cell
    if let first = cell.first, "=+-@\t\r".utf8.contains(first) { content.insert(UInt8(ascii: "'"), at: 0) }
    guard content.contains(where: { "\",\r\n".utf8.contains($0) }) else { return content }
    var quoted = [UInt8(ascii: "\"")]
    for byte in content {
      if byte == UInt8(ascii: "\"") { quoted.append(byte) }
      quoted.append(byte)
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }
}
