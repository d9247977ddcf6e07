/// Judges a record as a whole, before its cells are read.
enum LineCheck {
  /// What is wrong with the record, or nil.
  static func fault(of record: DelimitedRecord, mapping: ColumnMapping) -> CellError? {
    func error(_ code: CellError.Code, cell: Int?, _ message: String) -> CellError {
      let column = cell.flatMap { mapping.header.indices.contains($0) ? $0 : nil }
      return CellError(
        line: record.firstLine, column: column.map { mapping.header[$0] },
        field: column.flatMap { column in mapping.columns.first { $0.index == column }?.field },
        code: code, message: message)
    }
    switch record.problem {
    case .textAfterClosingQuote:
      return error(
        .brokenQuoting, cell: record.trustedCells,
        "text follows the closing quote of a cell; double each quote inside of a quoted cell, as in \"12\"\" pizza\"")
    case .unterminatedQuote:
      return error(
        .brokenQuoting, cell: record.trustedCells,
        "a quote opens a cell and is not closed; close it, or write a quote as two in a quoted cell")
    case .tooLarge:
      return error(
        .tooLarge, cell: record.trustedCells,
        "the line has \(record.bytes.count + record.droppedBytes) bytes; the most is "
          + "\(DelimitedLimits().recordBytes); shorten it")
    case .invalidUTF8(let offset):
      let byte = String(record.bytes[offset], radix: 16, uppercase: true)
      return error(
        .invalidUTF8, cell: record.cellIndex(atByte: offset),
        "the text is not UTF-8 (byte \(byte) at position \(offset + 1) of the line); save the file as UTF-8")
    case .nulByte(let offset):
      return error(
        .nulByte, cell: record.cellIndex(atByte: offset),
        "the line holds a NUL byte at position \(offset + 1); remove it")
    case nil:
      guard record.cellCount != mapping.header.count else { return nil }
      return error(
        .wrongCellCount, cell: nil,
        "the line has \(record.cellCount) cells, the header \(mapping.header.count); put a cell that holds the "
          + "delimiter in double quotes, and leave no cell out")
    }
  }

  /// Whether a cell can be relied upon, though the record may be faulty.
  ///
  /// Cells after a broken one, and in a line with too many or too few, may not be where they should be.
  static func trusts(_ column: Int, of record: DelimitedRecord, mapping: ColumnMapping) -> Bool {
    if record.problem == nil { return column == 0 || record.cellCount == mapping.header.count }
    return column < record.trustedCells && record.withCell(column) { TextCheck.problem(in: $0) == nil }
  }
}
