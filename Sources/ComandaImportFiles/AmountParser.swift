/// Reads amounts of money as people and tills write them, exactly.
///
/// Taken are `$2.39 `, `1,234.50`, `¥1,200`, `1200円`, `1 234.50 KZT`, `EUR 5`, full-width digits and marks. Decimals
/// beyond those of the currency must be zeros.
public struct AmountParser: Sendable {
  /// The currency that the amounts are in.
  public var currency: CurrencyUnit
  /// How numbers are written.
  public var format: NumberFormat

  /// Creates a parser.
  public init(currency: CurrencyUnit, format: NumberFormat = .point) {
    self.currency = currency
    self.format = format
  }

  /// Reads an amount.
  ///
  /// - Returns: minor units of the currency, or nil for a cell that says nothing (empty, `NULL`).
  /// - Throws: a ``CellFault``: no number, below zero, too many decimals, another currency, too large.
  public func parse(_ cell: ArraySlice<UInt8>) throws(CellFault) -> Int64? {
    guard let content = CellText.value(cell) else { return nil }
    let text = FoldedNumber.folded(content)
    var number = text
    var isNegative = false
    if let first = text.first, let last = text.last, !Decimal.isDigit(first) || !Decimal.isDigit(last) {
      (number, isNegative) = try withoutMarks(text, original: content)
    }
    let value: Int64
    do {
      value = try Decimal.integer(from: number, scale: currency.exponent, format: format)
    } catch {
      throw fault(error, cell: content)
    }
    guard !isNegative else {
      throw CellFault(.negativeAmount, "\(CellText.quoted(content)) is below zero; write an amount of 0 or more")
    }
    return value
  }

  /// Takes currency marks and signs off both ends, and checks that they fit.
  private func withoutMarks(
    _ text: ArraySlice<UInt8>, original: ArraySlice<UInt8>
  ) throws(CellFault) -> (number: ArraySlice<UInt8>, isNegative: Bool) {
    let isPartOfNumber = { (byte: UInt8) in
      Decimal.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
    }
    guard let first = text.firstIndex(where: isPartOfNumber), let last = text.lastIndex(where: isPartOfNumber) else {
      throw fault(.malformed, cell: original)
    }
    var isNegative = false
    for affix in [text[..<first], text[text.index(after: last)...]] {
      var mark = CellText.trimmed(affix)
      for sign in [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "("), UInt8(ascii: ")")] {
        guard let position = mark.firstIndex(of: sign) else { continue }
        isNegative = isNegative || sign == UInt8(ascii: "-") || sign == UInt8(ascii: "(")
        mark = CellText.trimmed((mark[..<position] + mark[mark.index(after: position)...])[...])
      }
      if !mark.isEmpty { try check(mark: CellText.string(mark), original: original) }
    }
    return (text[first...last], isNegative)
  }

  private func check(mark: String, original: ArraySlice<UInt8>) throws(CellFault) {
    let codes = CurrencyUnit.codes(ofMark: mark)
    guard !codes.isEmpty else { throw fault(.malformed, cell: original) }
    guard codes.contains(currency.code) else {
      throw CellFault(
        .currencyMismatch,
        "\(CellText.quoted(original)) is marked \(mark), but the order is in \(currency.code); give the right currency "
          + "in a currency column or with --currency")
    }
  }

  private func fault(_ fault: Decimal.Fault, cell: ArraySlice<UInt8>) -> CellFault {
    let quoted = CellText.quoted(cell)
    switch fault {
    case .malformed:
      return CellFault(.notANumber, "\(quoted) is not an amount; write digits such as \(format.example)")
    case .tooManyDecimals:
      let right =
        switch currency.exponent {
        case 0: "no decimals"
        case let exponent: "at most \(exponent) decimals"
        }
      return CellFault(.tooManyDecimals, "\(quoted) has too many decimals; \(currency.code) has \(right)")
    case .outOfRange:
      return CellFault(.outOfRange, "\(quoted) is too large; the most is \(Int64.max) minor units")
    }
  }
}
