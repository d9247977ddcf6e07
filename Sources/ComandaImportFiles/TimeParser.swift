/// Reads points in time into microseconds since 1970-01-01T00:00:00Z.
///
/// Taken are RFC 3339 (`2026-11-21T10:15:30.5+09:00`) and what spreadsheets make of it: `2026-11-21 10:15`,
/// `2026/1/5 9:03`, and a day alone, which means its beginning. Where no offset is given, it is UTC. Digits beyond the
/// microsecond are dropped.
public enum TimeParser {
  /// Reads a time.
  ///
  /// - Returns: microseconds since the epoch, or nil for a cell that says nothing.
  /// - Throws: a ``CellFault`` with ``CellError/Code/notATime``.
  public static func parse(_ cell: Span<UInt8>) throws(CellFault) -> Int64? {
    guard let place = CellText.value(cell) else { return nil }
    let text = cell.extracting(place)
    if let time = microseconds(text) { return time }
    if let time = microseconds(FoldedNumber.folded(text).span) { return time }
    throw CellFault(
      .notATime,
      "\(CellText.quoted(cell)) is not a time; write 2026-11-21T10:15:00+09:00, or 2026-11-21 10:15:00 for UTC")
  }

  private static func microseconds(_ text: Span<UInt8>) -> Int64? {
    var offset = 0
    guard let year = digits(4...4, in: text, &offset), let dateMark = oneOf("-/", in: text, &offset),
      let month = digits(1...2, in: text, &offset), oneOf("-/", in: text, &offset) == dateMark,
      let day = digits(1...2, in: text, &offset), (1...12).contains(month),
      (1...daysIn(month: month, year: year)).contains(day)
    else { return nil }
    let midnight = daysSinceEpoch(year: year, month: month, day: day) * 86_400_000_000
    if offset == text.count { return midnight }
    guard oneOf("Tt ", in: text, &offset) != nil, let time = timeOfDay(in: text, &offset), offset == text.count else {
      return nil
    }
    return midnight + time
  }

  private static func timeOfDay(in text: Span<UInt8>, _ offset: inout Int) -> Int64? {
    guard let hour = digits(1...2, in: text, &offset), oneOf(":", in: text, &offset) != nil,
      let minute = digits(2...2, in: text, &offset)
    else { return nil }
    var second: Int64 = 0
    var fraction: Int64 = 0
    if oneOf(":", in: text, &offset) != nil {
      guard let seconds = digits(2...2, in: text, &offset) else { return nil }
      second = seconds
      if oneOf(".", in: text, &offset) != nil {
        guard let digits = microsecondFraction(in: text, &offset) else { return nil }
        fraction = digits
      }
    }
    guard let zone = zoneMinutes(in: text, &offset), hour < 24, minute < 60, second < 60 else { return nil }
    return ((hour * 60 + minute - zone) * 60 + second) * 1_000_000 + fraction
  }

  private static func microsecondFraction(in text: Span<UInt8>, _ offset: inout Int) -> Int64? {
    let start = offset
    var fraction: Int64 = 0
    var unit: Int64 = 100_000
    while offset < text.count, Decimal.isDigit(text[offset]) {
      fraction += Int64(text[offset] - UInt8(ascii: "0")) * unit
      unit /= 10
      offset += 1
    }
    return offset == start ? nil : fraction
  }

  /// The offset from UTC, which is none if nothing follows; nil if what follows is no offset.
  private static func zoneMinutes(in text: Span<UInt8>, _ offset: inout Int) -> Int64? {
    if offset == text.count || oneOf("Zz", in: text, &offset) != nil { return 0 }
    guard let sign = oneOf("+-", in: text, &offset), let hours = digits(2...2, in: text, &offset),
      oneOf(":", in: text, &offset) != nil, let minutes = digits(2...2, in: text, &offset), hours < 24, minutes < 60
    else { return nil }
    return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
  }

  private static func digits(_ counts: ClosedRange<Int>, in text: Span<UInt8>, _ offset: inout Int) -> Int64? {
    var value: Int64 = 0
    var count = 0
    while count < counts.upperBound, offset < text.count, Decimal.isDigit(text[offset]) {
      value = value * 10 + Int64(text[offset] - UInt8(ascii: "0"))
      offset += 1
      count += 1
    }
    return counts.contains(count) ? value : nil
  }

  private static func oneOf(_ choices: StaticString, in text: Span<UInt8>, _ offset: inout Int) -> UInt8? {
    guard offset < text.count else { return nil }
    let byte = text[offset]
    guard choices.withUTF8Buffer({ $0.contains(byte) }) else { return nil }
    offset += 1
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
    return marchYear * 365 + leapDays + (monthFromMarch * 153 + 2) / 5 + day - 1 - 719_468
  }
}
