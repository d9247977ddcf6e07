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
  /// The most bytes of source lines in a row; what is longer is cut.
  ///
  /// A row travels as its values and as its source lines, and together they have to fit into an upload chunk of
  /// 256 KiB.
  public var sourceBytes = 96 * 1024
  /// The most bytes of values in an order, with ``itemOverhead`` for each item.
  public var valueBytes = 128 * 1024
  /// What an item's numbers count as, in bytes.
  public var itemOverhead = 32
  /// The most errors that a row lists.
  public var errors = 20

  /// The defaults.
  public init() {}
}
