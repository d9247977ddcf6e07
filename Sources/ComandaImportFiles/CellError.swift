/// What is wrong with one cell, or one line, of a file, and what would be right.
public struct CellError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kind of fault; the raw value is what reports show.
  public enum Code: String, Sendable, CaseIterable {
    /// A quoted cell is not closed, or is followed by other text.
    case brokenQuoting = "BROKEN_QUOTING"
    /// The bytes are not UTF-8.
    case invalidUTF8 = "INVALID_UTF8"
    /// The line holds a NUL.
    case nulByte = "NUL_BYTE"
    /// A line or an order is longer than the limit.
    case tooLarge = "TOO_LARGE"
    /// The line has more or fewer cells than the header.
    case wrongCellCount = "WRONG_CELL_COUNT"
    /// The order has more items than the limit.
    case tooManyItems = "TOO_MANY_ITEMS"
    /// A cell that must say something is empty.
    case required = "REQUIRED"
    /// The cell does not hold a number.
    case notANumber = "NOT_A_NUMBER"
    /// The amount is below zero.
    case negativeAmount = "NEGATIVE_AMOUNT"
    /// The number has more decimals than its currency or unit.
    case tooManyDecimals = "TOO_MANY_DECIMALS"
    /// The number does not fit.
    case outOfRange = "OUT_OF_RANGE"
    /// The currency is not one of ISO 4217.
    case unknownCurrency = "UNKNOWN_CURRENCY"
    /// The amount names another currency than the order's.
    case currencyMismatch = "CURRENCY_MISMATCH"
    /// The cell does not hold a time.
    case notATime = "NOT_A_TIME"
    /// The cell holds none of the words that are possible there.
    case unknownValue = "UNKNOWN_VALUE"
    /// Quantity times unit price is not a whole number of minor units.
    case inexactTotal = "INEXACT_TOTAL"
    /// Two lines of one order disagree.
    case contradiction = "CONTRADICTION"
  }

  /// The line of the file, from 1, where the record begins.
  public let line: Int
  /// The column's name in the file, or nil if the fault is not one column's.
  public let column: String?
  /// What the column means, or nil if it means nothing or the fault is not one column's.
  public let field: ImportField?
  /// The kind of fault.
  public let code: Code
  /// What was wrong, and what would be right.
  public let message: String

  /// Place, code and message on one line.
  public var description: String {
    let place = column.map { "line \(line), column \($0)" } ?? "line \(line)"
    return "\(place): \(code.rawValue): \(message)"
  }
}

/// Why the content of a cell cannot be read, whichever cell it is.
public struct CellFault: Error, Sendable, Hashable {
  /// The kind of fault.
  public let code: CellError.Code
  /// What was wrong, and what would be right.
  public let message: String

  init(_ code: CellError.Code, _ message: String) {
    self.code = code
    self.message = message
  }
}
