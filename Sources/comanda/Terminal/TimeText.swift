import FoundationEssentials
import SwiftProtobuf

/// Moments as RFC 3339 in UTC.
enum TimeText {
  /// `2026-11-21T10:15:00.5Z`; fractions only where there are any, at most six digits.
  static func json(_ timestamp: Google_Protobuf_Timestamp) -> String {
    let seconds = Date(timeIntervalSince1970: Double(timestamp.seconds)).formatted(.iso8601)
    let microseconds = timestamp.nanos / 1000
    guard microseconds > 0 else { return seconds }
    var digits = String(microseconds)
    digits = String(repeating: "0", count: 6 - digits.count) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(seconds.dropLast()).\(digits)Z"
  }

  /// `2026-11-21 10:15:00`, for tables.
  static func table(_ timestamp: Google_Protobuf_Timestamp) -> String {
    let text = Date(timeIntervalSince1970: Double(timestamp.seconds)).formatted(.iso8601)
    return String(text.dropLast()).split(separator: "T").joined(separator: " ")
  }
}
