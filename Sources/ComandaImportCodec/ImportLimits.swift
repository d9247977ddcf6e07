import CImportRows

/// The bounds of an upload, as `import_rows.proto` states them.
public enum ImportLimits {
  /// Most bytes of a chunk's `rows`.
  public static let chunkBytes = 256 * 1024
  /// Most rows of a chunk.
  public static let chunkRows = Int(COMANDA_ROW_LIMIT)  // bounded: a constant
  /// Most items of an order.
  public static let orderItems = Int(COMANDA_ITEM_LIMIT)  // bounded: a constant
  /// Most source lines of a row.
  public static let rowLines = Int(COMANDA_LINE_LIMIT)  // bounded: a constant
  /// Most problems of an unreadable row.
  public static let rowProblems = Int(COMANDA_PROBLEM_LIMIT)  // bounded: a constant

  /// Longest texts of a problem, in Unicode scalars.
  static let problemCodeLength = 63
  static let problemFieldLength = 200
  static let problemMessageLength = 500

  /// Room for what is around `rows` in a message: the import's id, numbers and keys.
  static let messageBytes = chunkBytes + 1024  // bounded: both are constants
  /// Most memory that one chunk may be unpacked into. An ordinary one takes 1.2 MiB; one made of empty items, whose
  /// two bytes become a hundred and more, takes up to 20.
  static let unpackedBytes = 24 * 1024 * 1024
}
