/// Reads the orders of a file, row by row, in constant memory.
///
/// The same bytes and the same configuration give the same rows: an interrupted import relies on it to resume.
///
/// ```swift
/// var reader = try OrderFileReader(source: FileByteSource(path: path), path: path)
/// while let row = try reader.next() { … }
/// ```
public struct OrderFileReader<Source: ByteSource> {
  /// What the user of a file says about it.
  public struct Configuration: Sendable {
    /// `field=column` pairs as of ``ColumnMapping/init(specification:header:)``, or nil to go by the header's names.
    public var columns: String?
    /// The dialect, or nil to go by the file's name and first line.
    public var dialect: Dialect?
    /// The currency of orders that state none.
    public var currency = CurrencyUnit.yen
    /// How numbers are written, or nil to go by the delimiter: where it is a semicolon, the comma marks decimals.
    public var numberFormat: NumberFormat?

    /// The defaults.
    public init() {}
  }

  /// The most columns that a file may have.
  private static var columnLimit: Int { 1024 }

  /// The longest header line, in bytes: it travels with the import.
  private static var headerLimit: Int { 16 * 1024 }

  /// Which column means what.
  public let mapping: ColumnMapping
  /// The header line as it stands in the file, without its line end.
  public let headerBytes: [UInt8]
  /// How cells are told apart.
  public let dialect: Dialect
  /// How cells are understood.
  public let options: RowOptions
  /// How many bytes have been read.
  public private(set) var bytesRead: Int

  private var source: Source
  private let onBytes: ((UnsafeRawBufferPointer) -> Void)?
  private var records: DelimitedReader
  private var record = DelimitedRecord()
  private var assembler: OrderAssembler
  private var isAtEnd = false
  private let chunk: Chunk

  /// Reads the header, and decides how the rest is to be understood.
  ///
  /// - Parameters:
  ///   - source: the file's bytes.
  ///   - path: the file's name, for its extension.
  ///   - configuration: what the user says about the file.
  ///   - onBytes: is shown all bytes, in order, as they are read: a place to compute a digest.
  /// - Throws: ``OrderFileError``, or what the source throws.
  public init(
    source: Source, path: String = "", configuration: Configuration = Configuration(),
    onBytes: ((UnsafeRawBufferPointer) -> Void)? = nil
  ) throws {
    var source = source
    let chunk = Chunk()
    var count = 0
    // A pipe may give less than a line at a time; what is sniffed must not depend on it.
    while count < chunk.bytes.count {
      let read = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: chunk.bytes[count...]))
      if read == 0 { break }
      count += read
    }
    let head = UnsafeRawBufferPointer(rebasing: chunk.bytes[..<count])
    onBytes?(head)
    try FileSignature.check(head.bindMemory(to: UInt8.self).span)
    let dialect =
      configuration.dialect ?? Dialect.sniffed(fromHead: head.bindMemory(to: UInt8.self).span, path: path)
    var records = DelimitedReader(dialect: dialect)
    records.feed(head)
    if count < chunk.bytes.count { records.finish() }
    let header: [String]
    (header, headerBytes) = try Self.header(from: &records, bytes: count, isWhole: count < chunk.bytes.count)
    do {
      mapping =
        if let columns = configuration.columns {
          try ColumnMapping(specification: columns, header: header)
        } else {
          try ColumnMapping(header: header)
        }
    } catch {
      throw OrderFileError.columns(error)
    }
    var options = RowOptions()
    options.currency = configuration.currency
    options.numberFormat = configuration.numberFormat ?? (dialect.delimiter == .semicolon ? .comma : .point)
    self.source = source
    self.chunk = chunk
    self.onBytes = onBytes
    self.dialect = dialect
    self.options = options
    self.records = records
    bytesRead = count
    isAtEnd = count < chunk.bytes.count
    assembler = OrderAssembler(mapping: mapping, options: options)
  }

  /// All that decides how bytes become rows, as a versioned text: equal texts, and equal bytes, give equal rows.
  public var interpretation: String {
    var lines = [
      "comanda-rows/1", "delimiter=\(dialect.delimiter.rawValue)", "decimals=\(options.numberFormat.rawValue)",
      "currency=\(options.currency.code)",
    ]
    for column in mapping.columns { lines.append("\(column.field.rawValue)=\(column.index + 1)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Reads the next row.
  ///
  /// - Returns: nil at the end of the file.
  /// - Throws: what the source throws; `CancellationError`.
  public mutating func next() throws -> FileRow? {
    while true {
      if let row = assembler.nextRow() { return row }
      if records.next(into: &record) {
        assembler.add(record)
        continue
      }
      if isAtEnd {
        assembler.finish()
        return assembler.nextRow()
      }
      // A file of blank lines, or of one line, may be gigabytes without a row.
      try Task.checkCancellation()
      let count = try source.read(into: chunk.bytes)
      if count == 0 {
        isAtEnd = true
        records.finish()
        continue
      }
      let bytes = UnsafeRawBufferPointer(rebasing: chunk.bytes[..<count])
      bytesRead += count
      onBytes?(bytes)
      records.feed(bytes)
    }
  }

  /// Takes out the header, the first line that is not blank.
  ///
  /// - Parameters:
  ///   - bytes: how many bytes were fed.
  ///   - isWhole: whether they are the whole file.
  private static func header(
    from records: inout DelimitedReader, bytes: Int, isWhole: Bool
  ) throws(OrderFileError) -> (names: [String], bytes: [UInt8]) {
    if bytes == 0 { throw .empty }
    var record = DelimitedRecord()
    var blankBytes = 0
    repeat {
      blankBytes += record.bytes.count + record.terminator.length
      guard records.next(into: &record) else {
        if isWhole { throw .blank }
        guard blankBytes < bytes - records.byteOrderMarkLength else {
          throw .header("the first \(bytes) bytes of the file hold only blank lines; remove them")
        }
        throw .header(
          "it has more than \(bytes - blankBytes) bytes; the most is \(headerLimit) bytes and \(columnLimit) columns")
      }
    } while record.problem == nil && record.cellCount == 1 && record.withCell(0, CellText.trimmed).isEmpty
    switch record.problem {
    case nil: break
    case .invalidUTF8:
      throw .unsupported(
        format: "not in UTF-8 (perhaps in Shift_JIS or another national encoding)",
        advice: "save it as \"CSV UTF-8\" in your spreadsheet program")
    case .tooLarge:
      throw .header("it has \(record.bytes.count + record.droppedBytes) bytes; the most is \(headerLimit)")
    case .nulByte: throw .header("it holds a NUL byte")
    case .textAfterClosingQuote, .unterminatedQuote: throw .header("a quoted name is not properly closed")
    }
    guard record.cellCount <= columnLimit else {
      throw .header("it names \(record.cellCount) columns; the most is \(columnLimit)")
    }
    guard record.bytes.count <= headerLimit else {
      throw .header("it has \(record.bytes.count) bytes; the most is \(headerLimit)")
    }
    return ((0..<record.cellCount).map { record.withCell($0, CellText.string) }, record.bytes)
  }

  /// Memory that bytes are read into.
  private final class Chunk {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 * 1024, alignment: 16)

    deinit {
      bytes.deallocate()
    }
  }
}
