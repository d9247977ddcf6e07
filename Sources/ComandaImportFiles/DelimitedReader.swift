/// Splits CSV (RFC 4180) or TSV bytes, fed in chunks of any size, into records.
///
/// Faults are properties of records, never the end of the file: the reader goes on with the next line. Every byte
/// that was fed belongs to exactly one record (its bytes, its dropped bytes, or its terminator), except for a
/// byte order mark. The result does not depend on how the bytes were split into chunks.
///
/// ```swift
/// var reader = DelimitedReader(dialect: Dialect(delimiter: .comma))
/// var record = DelimitedRecord()
/// reader.feed(chunk)
/// while reader.next(into: &record) { … }
/// ```
public struct DelimitedReader: Sendable {
  /// The part of a too large record that was already let go.
  private struct Skipping {
    var kept: [UInt8]
    var dropped: Int
    var lineBreaks: Int
  }

  private let limits: DelimitedLimits
  private var scanner: RecordScanner
  private var buffer: [UInt8] = []
  /// Where in the buffer the next record begins.
  private var start = 0
  private var nextLine = 1
  private var isFinished = false
  private var mayBeginWithByteOrderMark = true
  private var skipping: Skipping?

  /// The length of the byte order mark that was skipped at the beginning: 3 or 0.
  public private(set) var byteOrderMarkLength = 0

  /// Creates a reader.
  public init(dialect: Dialect, limits: DelimitedLimits = DelimitedLimits()) {
    self.limits = limits
    scanner = RecordScanner(dialect: dialect, limits: limits)
  }

  /// Takes the next bytes of the file. Take out all records before feeding more, or the buffer grows.
  public mutating func feed(_ bytes: UnsafeRawBufferPointer) {
    if start > 0 {
      buffer.removeSubrange(..<start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Says that no byte follows.
  public mutating func finish() {
    isFinished = true
  }

  /// Takes out the next record.
  ///
  /// - Parameter record: replaced by the next record, reusing its memory.
  /// - Returns: false if more bytes are needed, or the file is at its end.
  public mutating func next(into record: inout DelimitedRecord) -> Bool {
    guard skipByteOrderMark() else { return false }
    if skipping != nil { return endSkipping(into: &record) }
    guard start < buffer.count else { return false }
    let outcome = buffer.withUnsafeBufferPointer { bytes in
      scanner.scan(bytes.span.extracting(start...), isFinal: isFinished)
    }
    switch outcome {
    case .needsMore:
      return false
    case .oversized:
      let kept = min(limits.keptBytesOfCutRecord, scanner.offset)
      skipping = Skipping(
        kept: Array(buffer[start..<start + kept]), dropped: scanner.offset - kept, lineBreaks: scanner.lineBreaks)
      start += scanner.offset
      return endSkipping(into: &record)
    case .complete(let length, let terminator):
      record.bytes = Array(buffer[start..<start + length])
      record.droppedBytes = 0
      record.terminator = terminator
      start += length + terminator.length
      describe(&record, lineBreaks: scanner.lineBreaks)
      if record.problem == nil { record.problem = TextCheck.problem(in: record.bytes.span) }
      return true
    }
  }

  /// Moves what the scanner found into the record, and the scanner to the next one.
  private mutating func describe(_ record: inout DelimitedRecord, lineBreaks: Int) {
    swap(&record.cells, &scanner.cells)
    record.problem = scanner.problem
    record.trustedCells = scanner.trustedCells ?? record.cells.count
    record.firstLine = nextLine
    record.lastLine = nextLine + lineBreaks
    nextLine = record.lastLine + 1
    scanner.reset()
  }

  /// Lets bytes go up to the end of the line, and then yields the cut record.
  private mutating func endSkipping(into record: inout DelimitedRecord) -> Bool {
    guard var cut = skipping else { return false }
    var position = start
    while position < buffer.count, buffer[position] != UInt8(ascii: "\n"), buffer[position] != UInt8(ascii: "\r") {
      position += 1
    }
    cut.dropped += position - start
    start = position
    var terminator = DelimitedRecord.Terminator.none
    if position < buffer.count {
      if buffer[position] == UInt8(ascii: "\n") {
        terminator = .lineFeed
      } else if position + 1 < buffer.count {
        terminator = buffer[position + 1] == UInt8(ascii: "\n") ? .both : .carriageReturn
      } else if isFinished {
        terminator = .carriageReturn
      }
    }
    guard terminator != .none || (position == buffer.count && isFinished) else {
      skipping = cut
      return false
    }
    start += terminator.length
    skipping = nil
    record.bytes = cut.kept
    record.droppedBytes = cut.dropped
    record.terminator = terminator
    describe(&record, lineBreaks: cut.lineBreaks)
    record.cells.removeAll { $0.end > cut.kept.count }
    record.trustedCells = min(record.trustedCells, record.cells.count)
    return true
  }

  /// - Returns: false if it cannot be told yet whether the file begins with a byte order mark.
  private mutating func skipByteOrderMark() -> Bool {
    guard mayBeginWithByteOrderMark else { return true }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    guard buffer.count >= mark.count || !mark.starts(with: buffer) || isFinished else { return false }
    if buffer.starts(with: mark) {
      start = mark.count
      byteOrderMarkLength = mark.count
    }
    mayBeginWithByteOrderMark = false
    return true
  }
}
