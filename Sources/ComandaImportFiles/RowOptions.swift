/// How the cells of a file are to be understood.
public struct RowOptions: Sendable, Hashable {
  /// The currency of orders that state none.
  public var currency = CurrencyUnit.yen
  /// How numbers are written.
  public var numberFormat = NumberFormat.point
  /// The bounds of a row.
  public var limits = RowLimits()

  /// The defaults.
  public init() {}
}

/// The bounds of a ``FileRow``.
public struct RowLimits: Sendable, Hashable {
  /// The most items that an order may have.
  public var items = 500
  /// The most bytes of source lines in a row.
  ///
  /// A row travels as its values and as its source lines, and has to fit into an upload chunk of 256 KiB.
  public var sourceBytes = 120 * 1024
  /// The most errors that a row lists.
  public var errors = 20

  /// The defaults.
  public init() {}
}
