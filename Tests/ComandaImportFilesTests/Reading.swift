@testable import ComandaImportFiles

/// All records of `bytes`, fed in the chunks that `cuts` gives; one chunk if it is empty.
func records(
  _ bytes: [UInt8], _ delimiter: Dialect.Delimiter = .comma, limits: DelimitedLimits = DelimitedLimits(),
  chunkLengths: [Int] = []
) -> [DelimitedRecord] {
  var reader = DelimitedReader(dialect: Dialect(delimiter: delimiter), limits: limits)
  var record = DelimitedRecord()
  var result: [DelimitedRecord] = []
  var rest = bytes[...]
  var lengths = chunkLengths[...]
  while !rest.isEmpty {
    let chunk = rest.prefix(max(1, lengths.popFirst() ?? rest.count))
    rest = rest.dropFirst(chunk.count)
    chunk.withUnsafeBytes { reader.feed($0) }
    while reader.next(into: &record) { result.append(record) }
  }
  reader.finish()
  while reader.next(into: &record) { result.append(record) }
  return result
}

func records(_ text: String, _ delimiter: Dialect.Delimiter = .comma) -> [DelimitedRecord] {
  records(Array(text.utf8), delimiter)
}

extension DelimitedRecord {
  /// The cells as text.
  var texts: [String] { (0..<cellCount).map { String(decoding: cell($0), as: UTF8.self) } }
}

/// All that a reader of records can see of one.
struct Seen: Equatable {
  var lines: ClosedRange<Int>
  var bytes: [UInt8]
  var dropped: Int
  var terminator: DelimitedRecord.Terminator
  var problem: DelimitedRecord.Problem?
  var trustedCells: Int
  var cells: [[UInt8]]

  init(_ record: DelimitedRecord) {
    lines = record.firstLine...record.lastLine
    bytes = record.bytes
    dropped = record.droppedBytes
    terminator = record.terminator
    problem = record.problem
    trustedCells = record.trustedCells
    cells = (0..<record.cellCount).map(record.cell)
  }
}

/// A file in memory that gives its bytes in small pieces.
struct MemorySource: ByteSource {
  var rest: ArraySlice<UInt8>
  var pieceLength: Int

  init(_ bytes: [UInt8], pieceLength: Int = 1 << 20) {
    rest = bytes[...]
    self.pieceLength = pieceLength
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let piece = rest.prefix(min(pieceLength, buffer.count))
    rest = rest.dropFirst(piece.count)
    buffer.copyBytes(from: piece)
    return piece.count
  }
}

/// All rows of a file.
func rows(
  _ bytes: [UInt8], columns: String? = nil, currency: CurrencyUnit = .yen, path: String = "", pieceLength: Int = 1 << 20
) throws -> [FileRow] {
  var configuration = OrderFileReader<MemorySource>.Configuration()
  configuration.columns = columns
  configuration.currency = currency
  var reader = try OrderFileReader(
    source: MemorySource(bytes, pieceLength: pieceLength), path: path, configuration: configuration)
  var rows: [FileRow] = []
  while let row = try reader.next() { rows.append(row) }
  return rows
}

func rows(_ text: String, columns: String? = nil, currency: CurrencyUnit = .yen) throws -> [FileRow] {
  try rows(Array(text.utf8), columns: columns, currency: currency)
}

extension FileRow {
  var order: FileOrder? {
    guard case .order(let order) = content else { return nil }
    return order
  }

  var errors: [CellError] {
    guard case .rejected(let errors) = content else { return [] }
    return errors
  }

  var lineNumbers: [Int] { lines.map(\.number) }
}

extension SplitMix64 {
  /// A seed that no run before had; it is printed with the failure.
  static func freshSeed() -> UInt64 { UInt64.random(in: 0..<1_000_000_000) }
}
