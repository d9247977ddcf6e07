import CImportRows
import ComandaDomain

/// One message of `UploadRows`, decoded. A view into the decoder's memory: valid only inside the closure it is lent to.
public enum UploadPart {
  /// The next rows.
  case chunk(RowChunk)
  /// There are no more rows.
  case finish(FinishUpload)
}

@available(*, unavailable)
extension UploadPart: Sendable {}

/// The end of the rows.
public struct FinishUpload: Hashable, Sendable {
  /// The import, as it was sent.
  public let importID: String
  /// How many rows there are in all; not negative.
  public let totalRows: Int64
  /// The SHA-256 of the file, as it was sent: 32 bytes unless the client is wrong.
  public let fileSHA256: [UInt8]
}

/// A run of consecutive rows, checked and unpacked. Valid only inside the closure it is lent to.
public struct RowChunk {
  /// The import, as it was sent.
  public let importID: String
  /// The number of the first row, from 1.
  public let firstRow: Int64
  /// The serialized rows as they were sent: what a chunk is recognised by when it comes again.
  public let serializedRows: UnsafeRawBufferPointer

  let batch: UnsafePointer<Comanda__V1__RowBatch>
  let faults: UnsafePointer<RowFault>

  /// How many rows there are; 1 to 1,000.
  public var count: Int { batch.pointee.n_rows }

  /// Visits the rows in their order.
  public func forEachRow<Failure: Error>(_ body: (UploadedRow) throws(Failure) -> Void) throws(Failure) {
    for index in 0..<count {
      guard let row = batch.pointee.rows[index] else { continue }  // bounded: by n_rows
      // bounded: decoding takes no first row so high, nor more rows than there are faults
      try body(UploadedRow(number: firstRow + Int64(index), row: row, fault: faults + index))
    }
  }
}

@available(*, unavailable)
extension RowChunk: Sendable {}

/// A row as it was uploaded. Valid only inside the closure it is lent to.
public struct UploadedRow {
  /// The row's number in the import, from 1.
  public let number: Int64

  let row: UnsafePointer<Comanda__V1__ImportRow>
  let fault: UnsafePointer<RowFault>

  /// What a row holds.
  public enum Content: Hashable, Sendable {
    /// An order, not validated yet; its texts are valid UTF-8 without NUL.
    case order(OrderDraft)
    /// No order, and why. The external id is empty when it is not known; the problems are never empty.
    case unreadable(externalID: String, problems: [RowProblem])
  }

  /// Visits the source lines in their order: number and bytes as they were in the file.
  public func forEachLine<Failure: Error>(
    _ body: (_ number: Int64, _ bytes: UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    for index in 0..<lineCount {  // bounded: a count, so not negative
      guard let line = row.pointee.lines[index] else { continue }  // bounded: by n_lines
      try body(line.pointee.number, UnsafeRawBufferPointer(start: line.pointee.raw.data, count: line.pointee.raw.len))
    }
  }

  /// How many source lines the row keeps.
  public var lineCount: Int { min(row.pointee.n_lines, ImportLimits.rowLines) }

  /// The line of the file that a field of the order came from: the item's own line where there is one line an item,
  /// else the first line of the row; nil when the row came without lines.
  public func line(ofField path: String) -> Int64? {
    guard lineCount > 0 else { return nil }
    var index = 0
    if row.pointee.content_case == COMANDA__V1__IMPORT_ROW__CONTENT_ORDER, let order = row.pointee.order,
      order.pointee.n_items == lineCount, let item = itemIndex(inPath: path), item < lineCount
    {
      index = item
    }
    return row.pointee.lines[index]?.pointee.number  // bounded: below lineCount
  }

  private func itemIndex(inPath path: String) -> Int? {
    guard path.hasPrefix("items[") else { return nil }
    return Int(path.dropFirst("items[".count).prefix { $0 != "]" }).flatMap { $0 >= 0 ? $0 : nil }
  }
}

@available(*, unavailable)
extension UploadedRow: Sendable {}
