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
