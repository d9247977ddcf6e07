import CCRC32C
import ComandaDomain

/// Makes chunks of rows, as a client uploads them.
///
/// Append rows until one is not taken, take the chunk, append that row again; at the end take what is left:
///
/// ```
/// while !encoder.append(content, lines: lines) { send(encoder.takeChunk()) }
/// ```
public struct ImportChunkEncoder: Sendable {
  /// A run of rows, ready to be put into a `RowChunk`.
  public struct Chunk: Hashable, Sendable {
    /// The number of the first row.
    public let firstRow: Int64
    /// How many rows there are.
    public let rowCount: Int
    /// The serialized `RowBatch`.
    public let rows: [UInt8]
    /// The CRC-32C of ``rows``.
    public let crc32c: UInt32
  }

  private var writer = RowWriter()
  private var firstRow: Int64
  private var rowCount = 0

  /// Highest number to start with, so that no server can name a `committed_row` beyond which numbers end.
  private static let firstRowLimit = Int64.max / 2

  /// Starts with the row of this number: 1, or the one after `committed_row`.
  public init(firstRow: Int64 = 1) {
    self.firstRow = min(firstRow, Self.firstRowLimit)
    writer.reserve(ImportLimits.chunkBytes)
  }

  /// The number that the next row gets.
  public var nextRow: Int64 {
    firstRow + Int64(rowCount)  // bounded: firstRowLimit and the rows that were appended
  }

  /// Appends the next row; false, and nothing appended, when it does not fit into the chunk: then take the chunk first.
  ///
  /// A row that is larger than a whole chunk is replaced by one that says so, with its lines cut, so that the upload goes
  /// on and the row reaches the report.
  public mutating func append(_ content: UploadedRow.Content, lines: [SourceText]) -> Bool {
    guard rowCount < ImportLimits.chunkRows else { return false }
    let before = writer.bytes.count
    writer.writeRow(content, lines: lines)
    if writer.bytes.count > ImportLimits.chunkBytes {
      writer.truncate(to: before)
      guard rowCount == 0 else { return false }
      writer.writeRow(Self.replacement(for: content, lines: lines), lines: Self.cut(lines))
    }
    rowCount += 1  // bounded: by chunkRows
    return true
  }

  /// Takes the rows appended since the last time; nil when there are none.
  public mutating func takeChunk() -> Chunk? {
    guard rowCount > 0 else { return nil }
    let rows = writer.take()
    let crc = rows.withUnsafeBytes { crc32c_extend(0, $0.baseAddress, $0.count) }
    defer {
      firstRow += Int64(rowCount)  // bounded: as nextRow
      rowCount = 0
      writer.reserve(ImportLimits.chunkBytes)
    }
    return Chunk(firstRow: firstRow, rowCount: rowCount, rows: rows, crc32c: crc)
  }

  private static func replacement(for content: UploadedRow.Content, lines: [SourceText]) -> UploadedRow.Content {
    let externalID =
      switch content {
      case .order(let order): order.externalID
      case .unreadable(let externalID, _): externalID
      }
    let problem = RowProblem(
      field: "", code: "TOO_LARGE",
      message: "the order needs more than \(ImportLimits.chunkBytes / 1024) KiB with its lines of the file; shorten it",
      line: lines.first?.line)
    return .unreadable(externalID: StagedRow.knownID(externalID), problems: [problem])
  }

  /// Keeps enough of each line to recognise it.
  private static func cut(_ lines: [SourceText]) -> [SourceText] {
    let kept = lines.prefix(ImportLimits.orderItems)
    let share = ImportLimits.chunkBytes / 2 / max(kept.count, 1)  // bounded: at least 1
    return kept.map { SourceText(line: $0.line, bytes: Array($0.bytes.prefix(share))) }
  }
}
