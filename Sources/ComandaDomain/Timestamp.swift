/// A moment in UTC: microseconds since 1970-01-01T00:00:00Z, PostgreSQL's resolution.
///
/// The domain never reads a clock; every moment arrives as an argument.
public struct Timestamp: Hashable, Sendable, Comparable {
  /// Microseconds since the Unix epoch; negative before 1970.
  public let microseconds: Int64

  /// Makes a moment from microseconds since the Unix epoch.
  public init(microseconds: Int64) {
    self.microseconds = microseconds
  }

  /// Makes a moment from whole seconds and nanoseconds since the Unix epoch, as `google.protobuf.Timestamp` has them.
  ///
  /// Nil when the moment lies outside ``representable`` or the nanoseconds outside one second. What is finer than a
  /// microsecond is cut off.
  public init?(seconds: Int64, nanoseconds: Int32) {
    guard (0..<1_000_000_000).contains(nanoseconds) else { return nil }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    guard !overflow else { return nil }
    let (sum, tooLarge) = whole.addingReportingOverflow(Int64(nanoseconds / 1_000))  // bounded: 32 bits
    guard !tooLarge, Self.representable.contains(Timestamp(microseconds: sum)) else { return nil }
    self.init(microseconds: sum)
  }

  /// Stands for a moment that a sender gave and that no ``Timestamp`` can be: before all that orders may have, so that
  /// validation refuses it by the field's name.
  public static let unrepresentable = representable.lowerBound

  /// The years 1 to 9999: what RFC 3339 can write and PostgreSQL can store.
  public static let representable =
    // bounded: constants in this order
    Timestamp(microseconds: -62_135_596_800_000_000)...Timestamp(microseconds: 253_402_300_799_999_999)

  /// Whole seconds since the epoch, rounded down.
  public var seconds: Int64 {
    // bounded: by a millionth of 64 bits
    microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
  }

  /// The nanoseconds to add to ``seconds``; always in `0..<1_000_000_000`.
  public var nanoseconds: Int32 {
    let remainder = microseconds % 1_000_000
    // bounded: a remainder lies within a million of 0
    return Int32(remainder < 0 ? remainder + 1_000_000 : remainder) * 1_000
  }

  /// The moment that many seconds later (earlier when negative), held inside ``representable``.
  public func adding(seconds: Int64) -> Timestamp {
    let sum = microseconds.addingSaturated(seconds.multipliedSaturated(by: 1_000_000))
    return min(max(Timestamp(microseconds: sum), Self.representable.lowerBound), Self.representable.upperBound)
  }

  /// The moment that many days of 86,400 seconds later (earlier when negative), held inside ``representable``.
  public func adding(days: Int64) -> Timestamp {
    adding(seconds: days.multipliedSaturated(by: 86_400))
  }

  /// The earlier one is the smaller one.
  public static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.microseconds < right.microseconds
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC, with microseconds where there are any: `2026-11-21T09:30:00Z`.
  public var description: String {
    // bounded: seconds are a millionth of 64 bits
    let date = CivilDate(daysSinceEpoch: seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
    let second = seconds - date.daysSinceEpoch * 86_400  // bounded: those of the day
    let fraction = Int64(nanoseconds / 1_000)  // bounded: 32 bits
    let clock = "\(padded(second / 3_600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
    let micro = fraction == 0 ? "" : ".\(padded(fraction, 6))"
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(clock)\(micro)Z"
  }
}

/// A day of the proleptic Gregorian calendar.
///
/// Source of the arithmetic: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
struct CivilDate: Equatable {
  let daysSinceEpoch: Int64
  let year: Int64
  let month: Int64
  let day: Int64

  // bounded: the days of a Timestamp are fewer than 107 million
  init(daysSinceEpoch: Int64) {
    let shifted = daysSinceEpoch + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    self.daysSinceEpoch = daysSinceEpoch
    self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    self.month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    self.year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}

/// A non-negative number in at least that many digits.
func padded(_ number: Int64, _ digits: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text  // bounded: both are at most 20
}
