/// Reads quantities into thousandths, exactly: `2` is 2000, `0.5` is 500.
///
/// Zero and negative quantities are read; whether an order may have them is for the server to say.
public struct QuantityParser: Sendable {
  /// The number of decimals of a quantity.
  static let scale = 3

  /// How numbers are written.
  public var format: NumberFormat

  /// Creates a parser.
  public init(format: NumberFormat = .point) {
    self.format = format
  }

  /// Reads a quantity.
  ///
  /// - Returns: thousandths, or nil for a cell that says nothing.
  /// - Throws: a ``CellFault``: no number, too many decimals, too large.
  public func parse(_ cell: Span<UInt8>) throws(CellFault) -> Int64? {
    if let value = Decimal.plainInteger(from: cell, scale: Self.scale, format: format) { return value }
    guard let place = CellText.value(cell) else { return nil }
    let text = FoldedNumber.folded(cell.extracting(place))
    let isNegative = text.first == UInt8(ascii: "-")
    let digits = isNegative || text.first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
    do {
      let magnitude = try Decimal.integer(from: digits.span, scale: Self.scale, format: format)
      return isNegative ? -magnitude : magnitude
    } catch {
      let quoted = CellText.quoted(cell)
      switch error {
      case .malformed: throw CellFault(.notANumber, "\(quoted) is not a quantity; write digits such as 1 or 0.5")
      case .tooManyDecimals:
        throw CellFault(.tooManyDecimals, "\(quoted) has too many decimals; a quantity has at most 3, such as 0.125")
      case .outOfRange: throw CellFault(.outOfRange, "\(quoted) is too large for a quantity")
      }
    }
  }
}
