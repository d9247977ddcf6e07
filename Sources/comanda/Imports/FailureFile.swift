import ComandaProtos
import Glibc

/// A CSV file of failed rows: where, what, why, and the original line. RFC 4180, UTF-8 but for the original lines,
/// which keep their bytes.
final class FailureFile {
  private let path: String
  private let descriptor: CInt
  private var bytes = Array("row,external_id,line,field,code,message,original\n".utf8)

  /// Creates the file, or empties the one that is there: before an import, so that a wrong path shows before it.
  init(path: String) throws(CommandFailure) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure(path, errno) }
  }

  deinit {
    close(descriptor)
  }

  /// Adds a line for each problem of a row.
  func append(_ row: Comanda_V1_ImportRowResult) throws(CommandFailure) {
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
    if bytes.count > 64 * 1024 { try flush() }
  }

  /// Writes what is still in memory.
  func flush() throws(CommandFailure) {
    let failure = bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
    guard failure == 0 else { throw Self.failure(path, failure) }
    bytes.removeAll(keepingCapacity: true)
  }

  private func append(cell: [UInt8]) {
    bytes.append(contentsOf: CSVCell.encoded(cell))
  }

  private static func failure(_ path: String, _ code: CInt) -> CommandFailure {
    CommandFailure("cannot write the failed rows to \(path): \(String(cString: strerror(code)))")
  }
}

/// A cell of a CSV file.
enum CSVCell {
  /// The cell, quoted where that is needed. What a spreadsheet would run as a formula gets an apostrophe in front.
  static func encoded(_ cell: [UInt8]) -> [UInt8] {
    var content = cell
    if let first = cell.first, "=+-@\t\r".utf8.contains(first) { content.insert(UInt8(ascii: "'"), at: 0) }
    guard content.contains(where: { "\",\r\n".utf8.contains($0) }) else { return content }
    var quoted = [UInt8(ascii: "\"")]
    for byte in content {
      if byte == UInt8(ascii: "\"") { quoted.append(byte) }
      quoted.append(byte)
    }
    quoted.append(UInt8(ascii: "\""))
    return quoted
  }
}
