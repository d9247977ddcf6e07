import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import SwiftProtobuf
import Testing

@Suite("Making chunks")
struct ImportChunkEncoderTests {
  private func order(_ id: Int, note: Int = 0) -> UploadedRow.Content {
    var order = OrderDraft()
    order.externalID = "A-\(id)"
    order.note = String(repeating: "n", count: note)
    return .order(order)
  }

  /// All chunks of rows, as a client makes them.
  private func chunks(_ rows: [UploadedRow.Content], firstRow: Int64 = 1) -> [ImportChunkEncoder.Chunk] {
    var encoder = ImportChunkEncoder(firstRow: firstRow)
    var chunks: [ImportChunkEncoder.Chunk] = []
    for row in rows {
      while !encoder.append(row, lines: []) {
        guard let chunk = encoder.takeChunk() else { break }
        chunks.append(chunk)
      }
    }
    return chunks + (encoder.takeChunk().map { [$0] } ?? [])
  }

  @Test("a chunk ends at 1,000 rows, and the next goes on behind it")
  func rowLimit() {
    let made = chunks((1...2_500).map { order($0) }, firstRow: 11)
    #expect(made.map(\.rowCount) == [1_000, 1_000, 500])
    #expect(made.map(\.firstRow) == [11, 1_011, 2_011])
  }

  @Test("a chunk ends before 256 KiB, and holds as many rows as fit")
  func byteLimit() throws {
    let made = chunks((1...100).map { order($0, note: 10_000) })
    #expect(made.allSatisfy { $0.rows.count <= 256 * 1024 })
    #expect(made.map(\.rowCount) == [26, 26, 26, 22])
    let ids = try made.flatMap { try Comanda_V1_RowBatch(serializedBytes: $0.rows).rows.map(\.order.externalID) }
    #expect(ids == (1...100).map { "A-\($0)" })
  }

  @Test("a row larger than a chunk becomes one that says so, with its lines cut")
  func rowTooLarge() throws {
    let lines = (1...3).map { SourceText(line: Int64($0), bytes: [UInt8](repeating: 0x61, count: 200_000)) }
    var encoder = ImportChunkEncoder()
    let first = encoder.append(order(1), lines: [])
    let secondAtOnce = encoder.append(order(2, note: 300_000), lines: lines)
    let before = encoder.takeChunk()
    let second = encoder.append(order(2, note: 300_000), lines: lines)
    let third = encoder.append(order(3), lines: [])
    let last = encoder.takeChunk()
    #expect([first, secondAtOnce, second, third] == [true, false, true, true])
    #expect(before?.rowCount == 1)
    let chunk = try #require(last)
    let rows = try ImportChunkDecoder().rows(of: chunkMessage(rows: chunk.rows, firstRow: chunk.firstRow))
    #expect(rows.map { $0.content.problems.map(\.code) } == [["TOO_LARGE"], []])
    #expect(rows[0].lines.map(\.line) == [1, 2, 3])
    #expect(chunk.rows.count <= 256 * 1024)
  }

  @Test("the same rows make the same chunks, so that a chunk sent again is recognised")
  func deterministic() {
    var random = SeededRandom(seed: 4)
    let rows = (0..<300).map { _ in random.row().content }
    #expect(chunks(rows) == chunks(rows))
  }

  @Test("an encoder without rows has no chunk")
  func nothing() {
    var encoder = ImportChunkEncoder(firstRow: 5)
    let chunk = encoder.takeChunk()
    #expect(chunk == nil)
    #expect(encoder.nextRow == 5)
  }
}
