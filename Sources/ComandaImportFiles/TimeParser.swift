/// Reads points in time into microseconds since 1970-01-01T00:00:00Z.
///
/// Taken are RFC 3339 (`2026-11-21T10:15:30.5+09:00`) and `YYYY-MM-DD HH:MM[:SS]`, with `/` too, which is UTC unless
/// an offset follows. Digits beyond the microsecond are dropped.
public enum TimeParser {
  private struct Malformed: Error {}

  /// Reads a time.
  ///
  /// - Returns: microseconds since the epoch, or nil for a cell that says nothing.
  /// - Throws: a ``CellFault`` with ``CellError/Code/notATime``.
  public static func parse(_ cell: ArraySlice<UInt8>) throws(CellFault) -> Int64? {
    guard let content = CellText.value(cell) else { return nil }
    do {
      var rest = FoldedNumber.folded(content)
      return try microseconds(&rest)
    } catch {
      throw CellFault(
        .notATime,
        "\(CellText.quoted(content)) is not a time; write 2026-11-21T10:15:00+09:00, or 2026-11-21 10:15:00 for UTC")
    }
  }

  private static func microseconds(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> Int64 {
    let year = try digits(4, of: &rest)
    let dateMark = try oneOf("-/", from: &rest)
    let month = try digits(2, of: &rest)
    guard try oneOf("-/", from: &rest) == dateMark else { throw Malformed() }
    let day = try digits(2, of: &rest)
    _ = try oneOf("Tt ", from: &rest)
    let hour = try digits(2, of: &rest)
    _ = try oneOf(":", from: &rest)
    let minute = try digits(2, of: &rest)
    var second: Int64 = 0
    var fraction: Int64 = 0
    if rest.first == UInt8(ascii: ":") {
      rest.removeFirst()
      second = try digits(2, of: &rest)
      if rest.first == UInt8(ascii: ".") { fraction = try microsecondFraction(&rest) }
    }
    let offset = try offsetMinutes(&rest)
    guard rest.isEmpty, (1...12).contains(month), (1...daysIn(month: month, year: year)).contains(day),
      hour < 24, minute < 60, second < 60
    else { throw Malformed() }
    let minutes = (daysSinceEpoch(year: year, month: month, day: day) * 24 + hour) * 60 + minute - offset
    return (minutes * 60 + second) * 1_000_000 + fraction
  }

  private static func microsecondFraction(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> Int64 {
    rest.removeFirst()
    guard let first = rest.first, Decimal.isDigit(first) else { throw Malformed() }
    var fraction: Int64 = 0
    var unit: Int64 = 100_000
    while let byte = rest.first, Decimal.isDigit(byte) {
      fraction += Int64(byte - UInt8(ascii: "0")) * unit
      unit /= 10
      rest.removeFirst()
    }
    return fraction
  }

  private static func offsetMinutes(_ rest: inout ArraySlice<UInt8>) throws(Malformed) -> Int64 {
    guard !rest.isEmpty else { return 0 }
    let sign = try oneOf("Zz+-", from: &rest)
    guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return 0 }
    let hours = try digits(2, of: &rest)
    _ = try oneOf(":", from: &rest)
    let minutes = try digits(2, of: &rest)
    guard hours < 24, minutes < 60 else { throw Malformed() }
    return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
  }

  private static func digits(_ count: Int, of rest: inout ArraySlice<UInt8>) throws(Malformed) -> Int64 {
    let taken = rest.prefix(count)
    guard taken.count == count, taken.allSatisfy(Decimal.isDigit) else { throw Malformed() }
    rest = rest.dropFirst(count)
    return taken.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
  }

  private static func oneOf(_ choices: StaticString, from rest: inout ArraySlice<UInt8>) throws(Malformed) -> UInt8 {
    let isChoice = choices.withUTF8Buffer { choices in rest.first.map(choices.contains) ?? false }
    guard isChoice, let byte = rest.popFirst() else { throw Malformed() }
    return byte
  }

  private static func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that leap days come last.
  private static func daysSinceEpoch(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month > 2 ? year : year - 1
    let monthFromMarch = month > 2 ? month - 3 : month + 9
    let leapDays = marchYear >= 0 ? marchYear / 4 - marchYear / 100 + marchYear / 400 : -1
    let daysFromYearZero = marchYear * 365 + leapDays + (monthFromMarch * 153 + 2) / 5 + day - 1
    return daysFromYearZero - 719_468
  }
}
