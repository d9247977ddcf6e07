/// The bounds of a ``DelimitedReader``. Memory stays below `recordBytes` plus one fed chunk.
public struct DelimitedLimits: Sendable, Hashable {
  /// A record of more bytes is cut: a cell of a spreadsheet holds 32,767 characters, an order line far fewer.
  public var recordBytes = 256 * 1024
  /// How much of a cut record is kept, enough to recognise it.
  public var keptBytesOfCutRecord = 4 * 1024
  /// A quoted cell may span so many lines; beyond, its quote counts as a stray one.
  public var recordLines = 256

  /// The defaults.
  public init() {}
}
