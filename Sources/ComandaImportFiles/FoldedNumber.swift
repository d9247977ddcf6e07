/// The text of a number with full-width forms and special blanks made ASCII.
enum FoldedNumber {
  static func folded(_ cell: Span<UInt8>) -> [UInt8] {
    var result = ""
    for scalar in CellText.exactString(cell).unicodeScalars {
      switch scalar.value {
      case 0xFF01...0xFF5E: result.unicodeScalars.append(Unicode.Scalar(UInt8(scalar.value - 0xFEE0)))
      case 0xFFE5: result.unicodeScalars.append("¥")
      case 0xFFE1: result.unicodeScalars.append("£")
      case 0xFFE6: result.unicodeScalars.append("₩")
      case 0x2212: result.unicodeScalars.append("-")
      case 0xA0, 0x202F, 0x2009, 0x3000: result.unicodeScalars.append(" ")
      case 0x2019: result.unicodeScalars.append("'")
      default: result.unicodeScalars.append(scalar)
      }
    }
    return Array(result.utf8)
  }
}
