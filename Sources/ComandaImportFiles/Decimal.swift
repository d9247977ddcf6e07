/// A decimal number as it was written, read into an integer of a given scale without rounding.
struct Decimal {
  enum Fault: Error {
    case malformed
    case tooManyDecimals
    case outOfRange
  }

  /// Reads an unsigned number: digits, grouped or not, and decimals.
  ///
  /// - Parameter scale: the number of decimals that the integer holds; further ones must be zeros.
  static func integer(
    from text: Span<UInt8>, scale: Int, format: NumberFormat
  ) throws(Fault) -> Int64 {
    var value: Int64 = 0
    var digits = 0
    var digitsInGroup = 0
    var groupSeparator: UInt8?
    var decimals: Int?
    var isOutOfRange = false
    var dropsDecimals = false
    for offset in text.indices {
      let byte = text[offset]
      if isDigit(byte) {
        digits += 1
        if let count = decimals {
          if count == scale {
            dropsDecimals = dropsDecimals || byte != UInt8(ascii: "0")
            continue
          }
          decimals = count + 1
        } else {
          digitsInGroup += 1
        }
        let (shifted, overflows) = value.multipliedReportingOverflow(by: 10)
        let (sum, overflowsToo) = shifted.addingReportingOverflow(Int64(byte - UInt8(ascii: "0")))
        isOutOfRange = isOutOfRange || overflows || overflowsToo
        value = sum
      } else if byte == format.decimalMark {
        guard decimals == nil, groupSeparator == nil || digitsInGroup == 3 else { throw .malformed }
        decimals = 0
      } else if byte == format.groupMark || byte == UInt8(ascii: " ") || byte == UInt8(ascii: "'") {
        let isFirst = groupSeparator == nil
        guard decimals == nil, isFirst || groupSeparator == byte,
          isFirst ? (1...3).contains(digitsInGroup) : digitsInGroup == 3
        else { throw .malformed }
        groupSeparator = byte
        digitsInGroup = 0
      } else {
        throw .malformed
      }
    }
    guard digits > 0, decimals != nil || groupSeparator == nil || digitsInGroup == 3 else { throw .malformed }
    guard !dropsDecimals else { throw .tooManyDecimals }
    for _ in (decimals ?? 0)..<scale {
      let (shifted, overflows) = value.multipliedReportingOverflow(by: 10)
      isOutOfRange = isOutOfRange || overflows
      value = shifted
    }
    guard !isOutOfRange else { throw .outOfRange }
    return value
  }

  /// Reads a number that is nothing but digits and a decimal mark, as almost all are.
  ///
  /// - Returns: nil if ``integer(from:scale:format:)`` has to look closer.
  static func plainInteger(from text: Span<UInt8>, scale: Int, format: NumberFormat) -> Int64? {
    // So many digits cannot overflow.
    guard (1...18 - scale).contains(text.count) else { return nil }
    var value: Int64 = 0
    var decimals: Int?
    for offset in text.indices {
      let byte = text[offset]
      if isDigit(byte) {
        value = value &* 10 &+ Int64(byte &- UInt8(ascii: "0"))
        if let count = decimals { decimals = count + 1 }
      } else {
        guard byte == format.decimalMark, decimals == nil, text.count > 1 else { return nil }
        decimals = 0
      }
    }
    guard decimals ?? 0 <= scale else { return nil }
    for _ in (decimals ?? 0)..<scale { value = value &* 10 }
    return value
  }

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
