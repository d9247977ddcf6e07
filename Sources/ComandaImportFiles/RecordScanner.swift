/// Finds the cells and the end of one record, resumably: it may be called again with the same bytes and more.
///
/// ```
///              quote                    quote
///  cellStart ─────────▶ quoted ◀──────────────────▶ quoteInQuoted
///   ▲     │ other                                     │ delimiter: cell, cellStart
///   │     ▼                                           │ line end:  cell, record
///   └── plain ◀───────────────────────────────────────┘ other:     broken quoting
///  delimiter  line end: cell, record
/// ```
///
/// A quote that opens a cell and does not close properly must not swallow the lines that follow. If it opened on
/// an earlier line than the one where the fault shows, the record is cut at the end of the opening line and the next
/// line starts afresh. The rescanned bytes are bounded by the record limits, and every byte is rescanned at most
/// once: a line that leaves a quote open has an odd run of quotes at the start of a cell, which would have closed the
/// earlier one.
struct RecordScanner {
  enum Outcome: Equatable {
    /// The record goes on beyond the bytes at hand.
    case needsMore
    /// The record ends after `length` bytes, followed by the terminator.
    case complete(length: Int, terminator: DelimitedRecord.Terminator)
    /// The record exceeds the byte limit, and its last line has not ended yet.
    case oversized
  }

  private enum Mode { case cellStart, plain, quoted, quoteInQuoted }

  /// A line break inside a quoted cell.
  private struct Break {
    var offset: Int
    var terminator: DelimitedRecord.Terminator
  }

  private static let quote = UInt8(ascii: "\"")
  private static let lineFeed = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private let delimiter: UInt8
  private let takesBrokenQuotesAsData: Bool
  private let limits: DelimitedLimits
  /// Bytes above this one need no closer look in a plain cell.
  private let highestStructuralByte: UInt8

  /// The cells found so far.
  var cells: [DelimitedRecord.Cell] = []
  /// Line breaks inside of the record.
  private(set) var lineBreaks = 0
  private(set) var problem: DelimitedRecord.Problem?
  /// The cells before the first fault, if there was one.
  private(set) var trustedCells: Int?
  /// How far the bytes have been looked at.
  private(set) var offset = 0

  private var mode = Mode.cellStart
  private var cellStart = 0
  private var hasEscapes = false
  private var lineBreaksAtOpening = 0
  private var firstBreakInCell: Break?

  init(dialect: Dialect, limits: DelimitedLimits) {
    delimiter = dialect.delimiter.byte
    takesBrokenQuotesAsData = dialect.takesBrokenQuotesAsData
    highestStructuralByte = max(delimiter, Self.carriageReturn)
    self.limits = limits
  }

  /// Forgets the record and keeps the memory.
  mutating func reset() {
    cells.removeAll(keepingCapacity: true)
    lineBreaks = 0
    problem = nil
    trustedCells = nil
    offset = 0
    mode = .cellStart
    cellStart = 0
    hasEscapes = false
    lineBreaksAtOpening = 0
    firstBreakInCell = nil
  }

  /// Goes on scanning.
  ///
  /// - Parameters:
  ///   - bytes: all bytes from the record's beginning that are at hand.
  ///   - isFinal: whether no byte follows them.
  mutating func scan(_ bytes: Span<UInt8>, isFinal: Bool) -> Outcome {
    while true {
      // One byte beyond the limit, so that a record of exactly the limit still finds its end.
      let end = min(bytes.count, limits.recordBytes + 1)
      while offset < end {
        let outcome =
          switch mode {
          case .cellStart: scanCellStart(bytes)
          case .plain: scanPlain(bytes, end: end, isFinal: isFinal)
          case .quoted: scanQuoted(bytes, end: end, isFinal: isFinal)
          case .quoteInQuoted: scanAfterQuote(bytes, isFinal: isFinal)
          }
        if let outcome { return outcome }
      }
      if offset > limits.recordBytes {
        guard mode == .quoted, firstBreakInCell != nil else {
          if trustedCells == nil { trustedCells = cells.count }
          problem = .tooLarge
          return .oversized
        }
        if let outcome = failQuote(.unterminatedQuote) { return outcome }
        continue
      }
      guard isFinal else { return .needsMore }
      if mode == .quoted {
        if let outcome = failQuote(.unterminatedQuote) { return outcome }
        if mode == .plain { continue }
      }
      endCell(at: mode == .quoteInQuoted ? offset - 1 : offset)
      return .complete(length: offset, terminator: .none)
    }
  }

  private mutating func scanCellStart(_ bytes: Span<UInt8>) -> Outcome? {
    cellStart = offset
    if bytes[offset] == Self.quote {
      mode = .quoted
      offset += 1
      hasEscapes = false
      firstBreakInCell = nil
      lineBreaksAtOpening = lineBreaks
    } else {
      mode = .plain
    }
    return nil
  }

  private mutating func scanPlain(_ bytes: Span<UInt8>, end: Int, isFinal: Bool) -> Outcome? {
    var position = offset
    while position < end {
      let byte = bytes[position]
      if byte > highestStructuralByte {
        position += 1
        continue
      }
      if byte == delimiter {
        offset = position
        endCell(at: position)
        offset = position + 1
        return nil
      }
      if byte == Self.lineFeed || byte == Self.carriageReturn {
        offset = position
        return endRecord(bytes, cellEnd: position, isFinal: isFinal)
      }
      position += 1
    }
    offset = position
    return nil
  }

  private mutating func scanQuoted(_ bytes: Span<UInt8>, end: Int, isFinal: Bool) -> Outcome? {
    var position = offset
    while position < end {
      let byte = bytes[position]
      if byte > Self.quote {
        position += 1
        continue
      }
      if byte == Self.quote {
        offset = position + 1
        mode = .quoteInQuoted
        return nil
      }
      guard byte == Self.lineFeed || byte == Self.carriageReturn else {
        position += 1
        continue
      }
      guard let terminator = terminator(bytes, at: position, isFinal: isFinal) else {
        offset = position
        return .needsMore
      }
      if firstBreakInCell == nil { firstBreakInCell = Break(offset: position, terminator: terminator) }
      lineBreaks += 1
      position += terminator.length
      if lineBreaks >= limits.recordLines {
        offset = position
        return failQuote(.unterminatedQuote)
      }
    }
    offset = position
    return nil
  }

  private mutating func scanAfterQuote(_ bytes: Span<UInt8>, isFinal: Bool) -> Outcome? {
    switch bytes[offset] {
    case Self.quote:
      hasEscapes = true
      mode = .quoted
      offset += 1
      return nil
    case delimiter:
      endCell(at: offset - 1)
      offset += 1
      return nil
    case Self.lineFeed, Self.carriageReturn:
      return endRecord(bytes, cellEnd: offset - 1, isFinal: isFinal)
    default:
      return failQuote(firstBreakInCell == nil ? .textAfterClosingQuote : .unterminatedQuote)
    }
  }

  /// Deals with a quoted cell that is not properly closed.
  ///
  /// - Returns: the end of the record, or nil if the scan goes on with the cell taken as plain text.
  private mutating func failQuote(_ fault: DelimitedRecord.Problem) -> Outcome? {
    if takesBrokenQuotesAsData {
      mode = .plain
      offset = cellStart + 1
      lineBreaks = lineBreaksAtOpening
      return nil
    }
    if problem == nil { problem = fault }
    if trustedCells == nil { trustedCells = cells.count }
    lineBreaks = lineBreaksAtOpening
    if let firstBreakInCell {
      mode = .plain
      endCell(at: firstBreakInCell.offset)
      return .complete(length: firstBreakInCell.offset, terminator: firstBreakInCell.terminator)
    }
    mode = .plain
    return nil
  }

  private mutating func endRecord(_ bytes: Span<UInt8>, cellEnd: Int, isFinal: Bool) -> Outcome? {
    guard let terminator = terminator(bytes, at: offset, isFinal: isFinal) else { return .needsMore }
    endCell(at: cellEnd)
    return .complete(length: offset, terminator: terminator)
  }

  private mutating func endCell(at end: Int) {
    switch mode {
    case .cellStart: cells.append(DelimitedRecord.Cell(start: offset, end: offset, hasEscapes: false))
    case .plain: cells.append(DelimitedRecord.Cell(start: cellStart, end: end, hasEscapes: false))
    case .quoted, .quoteInQuoted:
      cells.append(DelimitedRecord.Cell(start: cellStart + 1, end: end, hasEscapes: hasEscapes))
    }
    mode = .cellStart
  }

  /// The line end at `position`, or nil if the byte that tells is not there yet.
  private func terminator(
    _ bytes: Span<UInt8>, at position: Int, isFinal: Bool
  ) -> DelimitedRecord.Terminator? {
    if bytes[position] == Self.lineFeed { return .lineFeed }
    guard position + 1 < bytes.count else { return isFinal ? .carriageReturn : nil }
    return bytes[position + 1] == Self.lineFeed ? .both : .carriageReturn
  }
}
