import ComandaDomain

/// The lines of the file that a row came from, as `import_chunks.source` keeps them: for each its number (i64), its
/// length in bytes (u32), both little-endian, and its bytes.
enum SourceLines {
  static func append(_ chunk: StagedChunk, rowAt index: Int, to source: inout [UInt8]) {
    chunk.forEachLine(ofRowAt: index) { line, bytes in
      withUnsafeBytes(of: line.littleEndian) { source.append(contentsOf: $0) }
      withUnsafeBytes(of: UInt32(clamping: bytes.count).littleEndian) { source.append(contentsOf: $0) }
      source.append(contentsOf: bytes)
    }
  }

  /// Reads the lines of one row; nil when the bytes are not what ``append(_:rowAt:to:)`` writes.
  static func read(_ source: [UInt8]) -> [SourceText]? {
    var lines: [SourceText] = []
    var rest = source[...]
    while !rest.isEmpty {
      guard let number = rest.popInteger(Int64.self), let size = rest.popInteger(UInt32.self),
        let length = Int(exactly: size), length <= rest.count
      else { return nil }
      lines.append(SourceText(line: number, bytes: Array(rest.prefix(length))))
      rest = rest.dropFirst(length)
    }
    return lines
  }
}

extension ArraySlice<UInt8> {
  fileprivate mutating func popInteger<Integer: FixedWidthInteger>(_ type: Integer.Type) -> Integer? {
    let size = MemoryLayout<Integer>.size
    guard count >= size else { return nil }
    let value = withUnsafeBytes { Integer(littleEndian: $0.loadUnaligned(as: Integer.self)) }
    self = dropFirst(size)
    return value
  }
}
