import CCRC32C
import ComandaDomain
import ComandaImportCodec

/// A decoded chunk, copied out of the decoder.
struct DecodedChunk: Hashable {
  var importID: String
  var firstRow: Int64
  var numbers: [Int64] = []
  var rows: [TestRow] = []
}

enum DecodedPart: Hashable {
  case chunk(DecodedChunk)
  case finish(FinishUpload)
}

extension ImportChunkDecoder {
  func decode(_ message: [UInt8]) throws -> DecodedPart {
    try message.withUnsafeBytes { bytes in
      try decode(bytes) { part in
        switch part {
        case .finish(let finish):
          return .finish(finish)
        case .chunk(let chunk):
          var copy = DecodedChunk(importID: chunk.importID, firstRow: chunk.firstRow)
          chunk.forEachRow { row in
            var lines: [SourceText] = []
            row.forEachLine { lines.append(SourceText(line: $0, bytes: Array($1))) }
            copy.numbers.append(row.number)
            copy.rows.append(TestRow(content: row.content, lines: lines))
          }
          return .chunk(copy)
        }
      }
    }
  }

  /// The rows of a message that must be a chunk.
  func rows(of message: [UInt8]) throws -> [TestRow] {
    guard case .chunk(let chunk) = try decode(message) else { return [] }
    return chunk.rows
  }
}

func checksum(of bytes: [UInt8]) -> UInt32 {
  bytes.withUnsafeBytes { crc32c_extend(0, $0.baseAddress, $0.count) }
}

extension UploadedRow.Content {
  var problems: [RowProblem] {
    if case .unreadable(_, let problems) = self { problems } else { [] }
  }
}
