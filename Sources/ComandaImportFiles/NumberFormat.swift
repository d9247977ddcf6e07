/// Which mark separates the decimals. The other one may group digits by three, and so may blanks and apostrophes.
public enum NumberFormat: String, Sendable, CaseIterable {
  /// `1,234.50`
  case point
  /// `1.234,50`
  case comma

  var decimalMark: UInt8 { self == .point ? UInt8(ascii: ".") : UInt8(ascii: ",") }
  var groupMark: UInt8 { self == .point ? UInt8(ascii: ",") : UInt8(ascii: ".") }
  var example: String { self == .point ? "1234.50 or 1,234.50" : "1234,50 or 1.234,50" }
}

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
    from text: ArraySlice<UInt8>, scale: Int, format: NumberFormat
  ) throws(Fault) -> Int64 {
    var value: Int64 = 0
    var digits = 0
    var digitsInGroup = 0
    var groupSeparator: UInt8?
    var decimals: Int?
    var isOutOfRange = false
    var dropsDecimals = false
    for byte in text {
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

  static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
