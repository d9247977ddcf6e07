/// One record of a delimited file: usually one line, more if a quoted cell holds line breaks.
public struct DelimitedRecord: Sendable {
  /// What ended a record.
  public enum Terminator: Sendable {
    /// The end of the file.
    case none
    /// A line feed.
    case lineFeed
    /// A carriage return alone.
    case carriageReturn
    /// A carriage return and a line feed.
    case both

    /// Its length in bytes.
    public var length: Int {
      switch self {
      case .none: 0
      case .lineFeed, .carriageReturn: 1
      case .both: 2
      }
    }
  }

  /// What makes a record unreadable in part or in whole.
  public enum Problem: Sendable, Hashable {
    /// A quoted cell is followed by something other than a delimiter or a line end.
    case textAfterClosingQuote
    /// A quoted cell is not closed within the limits; the record was cut at the end of the line that opened it.
    case unterminatedQuote
    /// The record is longer than the limit; only its beginning was kept.
    case tooLarge
    /// The record is not UTF-8; `offset` is the first bad byte's place in ``DelimitedRecord/bytes``.
    case invalidUTF8(offset: Int)
    /// The record holds a NUL; `offset` is its place in ``DelimitedRecord/bytes``.
    case nulByte(offset: Int)
  }

  struct Cell: Sendable {
    /// The content in ``DelimitedRecord/bytes``, without enclosing quotes.
    var start: Int
    var end: Int
    /// Whether the content holds doubled quotes, so that its text differs from its bytes.
    var hasEscapes: Bool
  }

  /// The number of the first line of the record; the file's first line is 1.
  public internal(set) var firstLine = 0
  /// The number of the last line of the record.
  public internal(set) var lastLine = 0
  /// The record exactly as it stands in the file, without its terminator; cut if it was too large.
  public internal(set) var bytes: [UInt8] = []
  /// How many bytes were cut off because the record was too large.
  public internal(set) var droppedBytes = 0
  /// What ended the record.
  public internal(set) var terminator = Terminator.none
  /// What is wrong with the record, or nil.
  public internal(set) var problem: Problem?
  /// How many cells, from the left, are certainly where the file's author meant them to be.
  public internal(set) var trustedCells = 0
  var cells: [Cell] = []

  /// Creates an empty record, to be filled by ``DelimitedReader/next(into:)``.
  public init() {}

  /// The number of cells; an empty line has one empty cell.
  public var cellCount: Int { cells.count }

  /// The content of a cell, with doubled quotes undone, for the duration of a closure; empty if there is no such cell.
  public func withCell<Result, Failure>(
    _ index: Int, _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard cells.indices.contains(index) else { return try body(Span()) }
    let cell = cells[index]
    let content = bytes.span.extracting(cell.start..<cell.end)
    return cell.hasEscapes ? try body(Self.undoubled(content).span) : try body(content)
  }

  /// The content of a cell, with doubled quotes undone; empty if there is no such cell.
  public func cell(_ index: Int) -> [UInt8] { withCell(index, CellText.bytes) }

  /// Whether a cell is written exactly as in another record.
  func hasSameCell(_ index: Int, as other: DelimitedRecord) -> Bool {
    guard cells.indices.contains(index), other.cells.indices.contains(index) else { return false }
    let cell = cells[index]
    let counterpart = other.cells[index]
    return CellText.equals(
      bytes.span.extracting(cell.start..<cell.end), other.bytes.span.extracting(counterpart.start..<counterpart.end))
  }

  /// The index of the cell that holds the byte at `offset` of ``bytes``, or nil.
  func cellIndex(atByte offset: Int) -> Int? {
    cells.firstIndex { $0.start <= offset && offset < $0.end }
  }

  private static func undoubled(_ content: Span<UInt8>) -> [UInt8] {
    let quote = UInt8(ascii: "\"")
    var result: [UInt8] = []
    result.reserveCapacity(content.count)
    var skipsQuote = false
    for offset in content.indices {
      let byte = content[offset]
      if byte == quote && skipsQuote {
        skipsQuote = false
        continue
      }
      skipsQuote = byte == quote
      result.append(byte)
    }
    return result
  }
}
