/// A run of rows of one import, decoded and validated, on its way into the store in one transaction.
///
/// The source lines of all rows lie in one buffer, so that a chunk costs a handful of allocations and not several a row.
public struct StagedChunk: Sendable {
  /// Whose import it is.
  public let businessID: BusinessID
  /// The import.
  public let importID: ImportID
  /// The number of its first row, from 1.
  public private(set) var firstRow: Int64
  /// The SHA-256 of the chunk as it was sent: sent again, it is recognised.
  public let sha256: SHA256Digest
  /// The rows, in order and without gaps.
  public private(set) var rows: [StagedRow] = []
  private var lines: [Line] = []
  private var lineBytes: [UInt8] = []

  /// Most rows of a chunk.
  public static let rowLimit = 1_000

  /// Starts a chunk.
  public init(businessID: BusinessID, importID: ImportID, firstRow: Int64, sha256: SHA256Digest) {
    self.businessID = businessID
    self.importID = importID
    self.firstRow = firstRow
    self.sha256 = sha256
  }

  /// Keeps room for that many rows.
  public mutating func reserve(rows count: Int, sourceBytes: Int) {
    rows.reserveCapacity(count)
    lines.reserveCapacity(count)
    lineBytes.reserveCapacity(sourceBytes)
  }

  /// The number of the last row; one less than ``firstRow`` while there is none.
  public var lastRow: Int64 {
    firstRow + Int64(rows.count) - 1  // bounded: decoding takes no first row within rowLimit of Int64.max
  }

  /// Appends a line of the row that ``append(_:)`` closes next.
  public mutating func append(line number: Int64, bytes: UnsafeRawBufferPointer) {
    let start = lineBytes.count
    lineBytes.append(contentsOf: bytes)
    lines.append(Line(number: number, bytes: start..<lineBytes.count))  // bounded: the buffer only grows
  }

  /// Appends the next row, which takes all lines that were appended since the one before it. The external id of a
  /// failed row is kept as ``StagedRow/knownID(_:)`` has it.
  public mutating func append(_ content: StagedRow.Content) {
    let start = rows.last?.lines.upperBound ?? 0
    // bounded: earlier rows end where the lines did
    rows.append(StagedRow(content: content.keepable, lines: start..<lines.count))
  }

  /// Fails the row at this index with a problem, whatever it was.
  public mutating func fail(rowAt index: Int, externalID: String, _ problem: RowProblem) {
    rows[index].content = .failed(  // bounded: callers pass indices of rows
      externalID: StagedRow.knownID(externalID), problems: [problem])
  }

  /// The rows at these indices as a chunk of their own.
  public func part(_ indices: Range<Int>) -> StagedChunk {
    var part = self
    part.firstRow = firstRow + Int64(indices.lowerBound)  // bounded: as lastRow
    part.rows = Array(rows[indices])  // bounded: callers pass indices of rows
    return part
  }

  /// The number of the first source line of the row at this index; nil when it has none.
  public func firstLine(ofRowAt index: Int) -> Int64? {
    // bounded: callers pass indices of rows, which hold those of lines
    rows[index].lines.first.map { lines[$0].number }
  }

  /// Lends the source lines of the row at this index, one after the other.
  public func forEachLine(
    ofRowAt index: Int, _ body: (_ line: Int64, _ bytes: UnsafeRawBufferPointer) throws -> Void
  ) rethrows {
    try lineBytes.withUnsafeBytes { buffer in
      for line in lines[rows[index].lines] {  // bounded: as firstLine
        // bounded: a line holds indices of lineBytes
        try body(line.number, UnsafeRawBufferPointer(rebasing: buffer[line.bytes]))
      }
    }
  }

  private struct Line {
    let number: Int64
    let bytes: Range<Int>
  }
}

/// A row of a chunk.
public struct StagedRow: Sendable {
  /// What was found out about it.
  public fileprivate(set) var content: Content
  fileprivate let lines: Range<Int>

  /// What was found out about a row before it is stored.
  public enum Content: Sendable {
    /// A right order; the id is the one it gets when the row is applied.
    case valid(ValidatedOrder, fingerprint: ContentFingerprint, orderID: OrderID)
    /// A wrong or unreadable one. The external id is empty when it is not known; the problems are never empty.
    case failed(externalID: String, problems: [RowProblem])

    /// The content with nothing in it that is not bounded.
    fileprivate var keepable: Content {
      switch self {
      case .valid: self
      case .failed(let externalID, let problems):
        .failed(externalID: StagedRow.knownID(externalID), problems: problems)
      }
    }
  }

  /// What a row that is no right order is known by: its external id as far as one may be that long, in the normal form of
  /// ids and without characters that an id may not have. It is a key of the import, since what follows under the same id may be the rest of the
  /// same order. One that was cut ends in an ellipsis.
  public static func knownID(_ externalID: String) -> String {
    let externalID = ExternalID.normalized(externalID)
    let limit = OrderLimits().externalIDLength
    // A text never has more scalars than bytes, so most need not be counted.
    guard externalID.utf8.count > limit, externalID.unicodeScalars.count > limit else {
      return externalID.withoutControlCharacters
    }
    // bounded: the limit is 64
    return String(String.UnicodeScalarView(externalID.unicodeScalars.prefix(limit - 1))).withoutControlCharacters + "…"
  }
}
