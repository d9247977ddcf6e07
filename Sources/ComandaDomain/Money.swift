/// An amount of money: whole minor units of a currency, never a fraction, never floating point.
public struct Money: Hashable, Sendable {
  /// The amount in the currency's minor unit: yen for JPY, cents for USD.
  public let minorUnits: Int64
  /// What the amount is counted in.
  public let currency: Currency

  /// Makes an amount.
  public init(minorUnits: Int64, currency: Currency) {
    self.minorUnits = minorUnits
    self.currency = currency
  }

  /// The sum; an error when the currencies differ or the sum does not fit.
  public func adding(_ other: Money) throws(MoneyError) -> Money {
    try combined(with: other) { $0.addingReportingOverflow($1) }
  }

  /// The difference; an error when the currencies differ or the difference does not fit.
  public func subtracting(_ other: Money) throws(MoneyError) -> Money {
    try combined(with: other) { $0.subtractingReportingOverflow($1) }
  }

  private func combined(
    with other: Money, _ operation: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) throws(MoneyError) -> Money {
    guard currency == other.currency else { throw .currenciesDiffer(currency, other.currency) }
    let result = operation(minorUnits, other.minorUnits)
    guard !result.overflow else { throw .overflow }
    return Money(minorUnits: result.partialValue, currency: currency)
  }
}

extension Money: CustomStringConvertible {
  /// The amount in major units with the currency's decimals, and its code: `34500.16 USD`, `1200 JPY`.
  public var description: String { "\(decimal(minorUnits, exponent: Int(currency.exponent))) \(currency.code)" }
}

/// Why two amounts could not be combined.
public enum MoneyError: Error, Hashable, Sendable {
  /// Amounts of different currencies are never added.
  case currenciesDiffer(Currency, Currency)
  /// The result does not fit into 64 bits.
  case overflow
}

extension MoneyError: CustomStringConvertible {
  /// What was wrong.
  public var description: String {
    switch self {
    case .currenciesDiffer(let left, let right): "amounts in \(left) and \(right) cannot be combined"
    case .overflow: "the amount does not fit into 64 bits of minor units"
    }
  }
}

/// How much of an item: whole thousandths, so that 1 is 1000 and half a kilogram is 500.
public struct Quantity: Hashable, Sendable, Comparable {
  /// The quantity times 1000.
  public let thousandths: Int64

  /// Makes a quantity from thousandths.
  public init(thousandths: Int64) {
    self.thousandths = thousandths
  }

  /// The order of the numbers.
  public static func < (left: Quantity, right: Quantity) -> Bool { left.thousandths < right.thousandths }
}

extension Quantity: CustomStringConvertible {
  /// The decimal number without needless zeros: `1`, `0.5`.
  public var description: String {
    let text = decimal(thousandths, exponent: 3)
    guard let lastNeeded = text.lastIndex(where: { $0 != "0" }) else { return text }
    // bounded: an index of the text
    return String(text[lastNeeded] == "." ? text[..<lastNeeded] : text[...lastNeeded])
  }
}

/// `number` ÷ 10^`exponent`, written out exactly.
func decimal(_ number: Int64, exponent: Int) -> String {
  guard exponent > 0 else { return String(number) }
  let sign = number < 0 ? "-" : ""
  let digits = String(number.magnitude)
  // bounded: an exponent is at most 3, and 64 bits are at most 19 digits
  let filled = String(repeating: "0", count: max(0, exponent + 1 - digits.utf8.count)) + digits
  return "\(sign)\(filled.dropLast(exponent)).\(filled.suffix(exponent))"
}
