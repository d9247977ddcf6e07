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
  public func parse(_ cell: Span<UInt8>) throws(CellFault) -> Int64? {
    if let value = Decimal.plainInteger(from: cell, scale: currency.exponent, format: format) { return value }
    guard let place = CellText.value(cell) else { return nil }
    let text = FoldedNumber.folded(cell.extracting(place))
    let (number, isNegative) = try withoutMarks(text[...], cell: cell)
    let value: Int64
    do {
      value = try Decimal.integer(from: number.span, scale: currency.exponent, format: format)
    } catch {
      throw fault(error, cell: cell)
    }
    guard !isNegative else {
      throw CellFault(.negativeAmount, "\(CellText.quoted(cell)) is below zero; write an amount of 0 or more")
    }
    return value
  }

  /// Takes currency marks and signs off both ends, and checks that they fit.
  private func withoutMarks(
    _ text: ArraySlice<UInt8>, cell: Span<UInt8>
  ) throws(CellFault) -> (number: ArraySlice<UInt8>, isNegative: Bool) {
    let isPartOfNumber = { (byte: UInt8) in
      Decimal.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
    }
    guard let first = text.firstIndex(where: isPartOfNumber), let last = text.lastIndex(where: isPartOfNumber) else {
      throw fault(.malformed, cell: cell)
    }
    var isNegative = false
    for affix in [text[..<first], text[text.index(after: last)...]] {
      var mark = Array(affix)
      for sign in [UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "("), UInt8(ascii: ")")] {
        guard let position = mark.firstIndex(of: sign) else { continue }
        isNegative = isNegative || sign == UInt8(ascii: "-") || sign == UInt8(ascii: "(")
        mark.remove(at: position)
      }
      let name = CellText.string(mark.span)
      if !name.isEmpty { try check(mark: name, cell: cell) }
    }
    return (text[first...last], isNegative)
  }

  private func check(mark: String, cell: Span<UInt8>) throws(CellFault) {
    let codes = CurrencyUnit.codes(ofMark: mark)
    guard !codes.isEmpty else { throw fault(.malformed, cell: cell) }
    guard codes.contains(currency.code) else {
      throw CellFault(
        .currencyMismatch,
        "\(CellText.quoted(cell)) is marked \(mark), but the order is in \(currency.code); give the right currency "
          + "in a currency column or with --currency")
    }
  }

  private func fault(_ fault: Decimal.Fault, cell: Span<UInt8>) -> CellFault {
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
