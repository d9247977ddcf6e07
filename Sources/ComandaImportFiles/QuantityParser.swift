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
  public func parse(_ cell: ArraySlice<UInt8>) throws(CellFault) -> Int64? {
    guard let content = CellText.value(cell) else { return nil }
    var text = FoldedNumber.folded(content)
    let sign = text.first
    if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { text = text.dropFirst() }
    do {
      let magnitude = try Decimal.integer(from: text, scale: Self.scale, format: format)
      return sign == UInt8(ascii: "-") ? -magnitude : magnitude
    } catch {
      let quoted = CellText.quoted(content)
      switch error {
      case .malformed: throw CellFault(.notANumber, "\(quoted) is not a quantity; write digits such as 1 or 0.5")
      case .tooManyDecimals:
        throw CellFault(.tooManyDecimals, "\(quoted) has too many decimals; a quantity has at most 3, such as 0.125")
      case .outOfRange: throw CellFault(.outOfRange, "\(quoted) is too large for a quantity")
      }
    }
  }
}
