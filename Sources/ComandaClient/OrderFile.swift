import ComandaCrypto
import ComandaImportFiles

/// A file of orders, with all that decides how it is understood. It can be read any number of times, and gives the same
/// rows each time as long as nobody changes it.
public struct OrderFile: Sendable {
  /// Reads the rows.
  public typealias Reader = OrderFileReader<FileByteSource>

  /// The file.
  public let path: String
  /// How it is to be understood.
  public let configuration: Reader.Configuration

  /// A file; it is not looked at yet.
  public init(path: String, configuration: Reader.Configuration = Reader.Configuration()) {
    self.path = path
    self.configuration = configuration
  }

  /// What a first look at a file tells.
  public struct Facts: Sendable {
    /// The SHA-256 of the whole file.
    public let digest: SHA256.Digest
    /// What the file system said of the file that was hashed.
    public let stamp: FileStamp
    /// The SHA-256 of how rows are made from it.
    public let interpretation: SHA256.Digest
    /// The header line.
    public let header: [UInt8]
    /// How many rows there are: counted in a short file, estimated from its beginning in a long one.
    public let expectedRows: Int64
    /// Columns whose content is not imported.
    public let unusedColumns: [String]
  }

  /// Reads the header and the first rows, and hashes the file: 50 ms for 45 MB, where parsing all of it takes 540 ms.
  /// - Throws: `OrderFileError`; ``ImportFailure/fileChanged(importID:path:_:)`` when the file changes meanwhile;
  ///   `CancellationError`.
  public func inspect() throws -> Facts {
    let source = try FileByteSource(regularFile: path)
    let stamp = try source.stamp()
    var reader = try Reader(source: source, path: path, configuration: configuration)
    let digest = try Self.digest(of: path)
    if let change = change(since: stamp) { throw ImportFailure.fileChanged(importID: nil, path: path, change) }
    return Facts(
      digest: digest,
      stamp: stamp,
      interpretation: SHA256.hash(Array(reader.interpretation.utf8)),
      header: reader.headerBytes,
      expectedRows: try Self.estimatedRows(&reader, size: stamp.size),
      unusedColumns: Self.unusedColumns(reader.mapping))
  }

  /// Reads the file from its beginning; the digest is complete when the reader has come to the end.
  /// - Returns: also what shows already that it is no more the file of these facts.
  func open(as facts: Facts) throws -> (reader: Reader, digest: RunningDigest, change: FileChange?) {
    let source = try FileByteSource(regularFile: path)
    let change = try facts.stamp.change(to: source.stamp())
    // A file of another time or place may still have the same bytes; rows are not sent before that is known.
    let isOther = try change != nil && Self.digest(of: path) != facts.digest
    let digest = RunningDigest()
    let reader = try Reader(source: source, path: path, configuration: configuration) { digest.update($0) }
    return (reader, digest, isOther ? change : nil)
  }

  /// What happened to the file since a stamp; nil when nothing that shows.
  func change(since stamp: FileStamp) -> FileChange? {
    guard let now = FileStamp(path: path) else { return .removed }
    return stamp.change(to: now)
  }

  /// The file's name without its directories, as an import is called by.
  var name: String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    let printable = name.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: printable.suffix(255))
    return String(text)
  }

  /// An order has no recipient of its own, so such a column is not imported either.
  private static func unusedColumns(_ mapping: ColumnMapping) -> [String] {
    mapping.unusedColumns + [mapping.columnName(of: .notificationRecipient)].compactMap { $0 }
  }

  private static func digest(of path: String) throws -> SHA256.Digest {
    let source = try FileByteSource(regularFile: path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    var digest = SHA256()
    while case let count = try source.read(into: buffer), count > 0 {
      // Hashing some gigabytes takes seconds, and Ctrl-C need not wait for it.
      try Task.checkCancellation()
      digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    return digest.finish()
  }

  /// Counts the rows of what the reader has in memory, and takes the rest of the file to be like it.
  private static func estimatedRows(_ reader: inout Reader, size: Int) throws -> Int64 {
    let sample = reader.bytesRead
    var rows: Int64 = 0
    while try reader.next() != nil {
      // An order has a line at least, so there are no more rows than bytes.
      if reader.bytesRead > sample {
        return Int64(exactly: (Double(rows) * Double(size) / Double(sample)).rounded()) ?? Int64(size)
      }
      rows += 1
    }
    return rows
  }
}

/// A SHA-256 that a closure adds to. Used by one task.
final class RunningDigest {
  private var digest = SHA256()

  func update(_ bytes: UnsafeRawBufferPointer) {
    digest.update(bytes)
  }

  func finish() -> SHA256.Digest {
    digest.finish()
  }
}
