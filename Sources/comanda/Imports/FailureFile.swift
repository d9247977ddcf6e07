import ComandaProtos

/// A CSV file of failed rows: where, what, why, and the original line. RFC 4180, UTF-8 but for the original lines,
/// which keep their bytes.
struct FailureFile {
  /// Written when so many bytes have come together.
  private static let flushBytes = 64 * 1024

  private let path: String
  private let file: OutputFile
  private var bytes = Array("row,external_id,line,field,code,message,original\n".utf8)

  /// Begins the file; what has its name stays until ``commit()``.
  init(_ destination: OutputDestination) throws(CommandFailure) {
    path = destination.path
    do {
      file = try OutputFile(destination)
    } catch {
      throw Self.failure(destination.path, error)
    }
  }

  /// Adds a line for each problem of a row.
  mutating func append(_ row: Comanda_V1_ImportRowResult) throws(CommandFailure) {
    for problem in row.problems {
      let source = row.lines.first { $0.number == problem.line } ?? row.lines.first
      bytes.append(contentsOf: "\(row.row),".utf8)
      append(cell: Array(row.externalID.utf8))
      bytes.append(contentsOf: ",\(problem.line > 0 ? problem.line : source?.number ?? 0),".utf8)
      for text in [problem.field, problem.code, problem.message] {
        append(cell: Array(text.utf8))
        bytes.append(UInt8(ascii: ","))
      }
      append(cell: source.map { Array($0.raw) } ?? [])
      bytes.append(UInt8(ascii: "\n"))
    }
    if bytes.count > Self.flushBytes { try flush() }
  }

  /// Writes what is still in memory, and puts the file in its place.
  mutating func commit() throws(CommandFailure) {
    try flush()
    do {
      try file.commit()
    } catch {
      throw Self.failure(path, error)
    }
  }

  private mutating func flush() throws(CommandFailure) {
    do throws(SystemError) {
      try file.write(bytes)
    } catch {
      throw Self.failure(path, error)
    }
    bytes.removeAll(keepingCapacity: true)
  }

  private mutating func append(cell: [UInt8]) {
    bytes.append(contentsOf: CSVCell.encoded(cell))
  }

  private static func failure(_ path: String, _ error: SystemError) -> CommandFailure {
    CommandFailure("cannot write the failed rows to \(path): \(error)")
  }
}
