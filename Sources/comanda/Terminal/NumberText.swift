import ComandaImportFiles

/// Numbers as people read them.
enum NumberText {
  /// `1,234,567`
  static func grouped(_ number: some BinaryInteger) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return number < 0 ? "-\(text)" : text
  }

  /// `1,234.50 USD`; minor units of a currency that this program does not know stand as they are.
  static func amount(_ minorUnits: Int64, _ currency: String) -> String {
    guard let exponent = CurrencyUnit(code: currency)?.exponent else {
      return "\(grouped(minorUnits)) minor units of \(currency)"
    }
    let scale = (0..<exponent).reduce(UInt64(1)) { scale, _ in scale * 10 }
    let (whole, fraction) = minorUnits.magnitude.quotientAndRemainder(dividingBy: scale)
    var text = (minorUnits < 0 ? "-" : "") + grouped(whole)
    if exponent > 0 {
      let digits = String(fraction)
      text += "." + String(repeating: "0", count: exponent - digits.count) + digits
    }
    return "\(text) \(currency)"
  }

  /// Thousandths as a decimal: `2`, `0.5`.
  static func quantity(_ thousandths: Int64) -> String {
    let (whole, fraction) = thousandths.magnitude.quotientAndRemainder(dividingBy: 1000)
    var text = (thousandths < 0 ? "-" : "") + String(whole)
    if fraction > 0 {
      var digits = String(fraction)
      digits = String(repeating: "0", count: 3 - digits.count) + digits
      while digits.hasSuffix("0") { digits.removeLast() }
      text += ".\(digits)"
    }
    return text
  }

  /// `0:05`, `12:30`, `1:02:03`
  static func clock(_ duration: Duration) -> String {
    let seconds = max(0, duration.components.seconds)
    let tail = "\(seconds / 60 % 60):\(padded(seconds % 60))"
    return seconds < 3600 ? tail : "\(seconds / 3600):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))"
  }

  /// Seconds with at most so many decimals.
  static func seconds(_ duration: Duration, decimals: Int) -> Double {
    let scale = (0..<decimals).reduce(1.0) { scale, _ in scale * 10 }
    return ((duration / .seconds(1)) * scale).rounded() / scale
  }

  private static func padded(_ number: Int64) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}
