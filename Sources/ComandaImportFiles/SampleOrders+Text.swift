/// A date and time of day that moves forward.
struct CivilTime: Sendable {
  private var year: Int
  private var month: Int
  private var day: Int
  private var secondOfDay = 0

  init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// Moves forward, by less than a day.
  mutating func advance(bySeconds seconds: Int) {
    secondOfDay += seconds
    guard secondOfDay >= 86_400 else { return }
    secondOfDay -= 86_400
    day += 1
    // A year is over before a million orders are; it then begins anew, so that no order lies in the future.
    guard day > 28 else { return }
    day = 1
    month = month == 12 ? 1 : month + 1
  }

  func write(into bytes: inout [UInt8]) {
    bytes.append(decimal: year, digits: 4)
    bytes.append("-")
    bytes.append(decimal: month, digits: 2)
    bytes.append("-")
    bytes.append(decimal: day, digits: 2)
    bytes.append("T")
    bytes.append(decimal: secondOfDay / 3600, digits: 2)
    bytes.append(":")
    bytes.append(decimal: secondOfDay / 60 % 60, digits: 2)
    bytes.append(":")
    bytes.append(decimal: secondOfDay % 60, digits: 2)
    bytes.append("Z")
  }
}

extension [UInt8] {
  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { append(contentsOf: $0) }
  }

  /// Appends a number of 0 or more with leading zeros.
  mutating func append(decimal number: Int, digits: Int) {
    var divisor = 1
    var length = 1
    while length < digits || number / divisor >= 10 {
      divisor *= 10
      length += 1
    }
    while divisor > 0 {
      append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  /// Appends minor units as a decimal number.
  mutating func append(amount: Int, exponent: Int) {
    var unit = 1
    for _ in 0..<exponent { unit *= 10 }
    append(decimal: amount / unit, digits: 1)
    if exponent > 0 {
      append(UInt8(ascii: "."))
      append(decimal: amount % unit, digits: exponent)
    }
  }

  /// Appends a CSV cell, in quotes where RFC 4180 asks for them.
  mutating func append(cell: [UInt8]) {
    let quote = UInt8(ascii: "\"")
    guard cell.contains(where: { $0 == quote || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") }) else {
      append(contentsOf: cell)
      return
    }
    append(quote)
    for byte in cell {
      if byte == quote { append(quote) }
      append(byte)
    }
    append(quote)
  }
}
