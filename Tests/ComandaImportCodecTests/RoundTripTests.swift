import ComandaDomain
import ComandaImportCodec
import ComandaProtos
import Foundation
import SwiftProtobuf
import Testing

/// The codec against SwiftProtobuf, on random rows. `COMANDA_TEST_SEED` repeats a run.
@Suite("Rows on their way through both codecs")
struct RoundTripTests {
  let seed = ProcessInfo.processInfo.environment["COMANDA_TEST_SEED"].flatMap(UInt64.init) ?? .random(in: 0 ... .max)

  @Test("what SwiftProtobuf encodes, the decoder reads as the same rows")
  func decodesSwiftProtobuf() throws {
    var random = SeededRandom(seed: seed)
    let decoder = try ImportChunkDecoder()
    for _ in 0..<200 {
      let rows = (0..<Int.random(in: 1...10, using: &random)).map { _ in random.row() }
      let message = try chunkMessage(rows.map(Comanda_V1_ImportRow.init), firstRow: 41)
      guard case .chunk(let chunk) = try decoder.decode(message) else {
        Issue.record("seed \(seed): not a chunk")
        continue
      }
      #expect(chunk.importID == "an import" && chunk.firstRow == 41)
      #expect(chunk.numbers == rows.indices.map { Int64(41 + $0) })
      expectEqual(chunk.rows, rows)
    }
  }

  @Test("what the encoder writes, SwiftProtobuf reads as the same rows and would write in as many bytes")
  func encodesForSwiftProtobuf() throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<200 {
      let rows = (0..<Int.random(in: 1...10, using: &random)).map { _ in random.row() }
      var encoder = ImportChunkEncoder()
      let taken = rows.map { encoder.append($0.content, lines: $0.lines) }
      #expect(taken.allSatisfy { $0 }, "seed \(seed)")
      let made = encoder.takeChunk()
      let chunk = try #require(made)
      let batch = try Comanda_V1_RowBatch(serializedBytes: chunk.rows)
      expectEqual(batch.rows, rows.map(Comanda_V1_ImportRow.init))
      let again: [UInt8] = try batch.serializedBytes()
      #expect(chunk.rows.count == again.count, "seed \(seed)")
      #expect(chunk.crc32c == checksum(of: chunk.rows))
    }
  }

  /// Names the first row that differs, and prints nothing but that one.
  private func expectEqual<Row: Equatable>(_ found: [Row], _ expected: [Row]) {
    #expect(found.count == expected.count, "seed \(seed)")
    guard let index = zip(found, expected).enumerated().first(where: { $1.0 != $1.1 })?.offset else { return }
    Issue.record("seed \(seed), row \(index):\n\(found[index])\nis not\n\(expected[index])")
  }

  @Test("a finish arrives as it was sent")
  func finish() throws {
    let hash = (0..<32).map { UInt8($0) }
    let message: [UInt8] = try Comanda_V1_UploadRowsRequest.with {
      $0.finish = .with {
        $0.importID = "an import"
        $0.totalRows = 10_000
        $0.fileSha256 = Data(hash)
      }
    }.serializedBytes()
    guard case .finish(let finish) = try ImportChunkDecoder().decode(message) else {
      Issue.record("not a finish")
      return
    }
    #expect(finish.importID == "an import")
    #expect(finish.totalRows == 10_000)
    #expect(finish.fileSHA256 == hash)
  }

  @Test("a field's line is its item's where each item has one, and the row's first line elsewhere")
  func lines() throws {
    var order = Comanda_V1_OrderDraft()
    order.items = [Comanda_V1_OrderItem(), Comanda_V1_OrderItem()]
    let lines = [7, 9].map { number in Comanda_V1_SourceLine.with { $0.number = Int64(number) } }
    let matched = Comanda_V1_ImportRow.with {
      $0.order = order
      $0.lines = lines
    }
    let unmatched = Comanda_V1_ImportRow.with {
      $0.order = order
      $0.lines = [lines[0]]
    }
    let message = try chunkMessage([matched, unmatched, .with { $0.order = order }])
    var found: [[Int64?]] = []
    try message.withUnsafeBytes { bytes in
      try ImportChunkDecoder().decode(bytes) { part in
        guard case .chunk(let chunk) = part else { return }
        let paths = ["items[1].total", "items[0].name", "items[2].name", "items[-1].name", "items[x", "customer.name"]
        chunk.forEachRow { row in found.append(paths.map { row.line(ofField: $0) }) }
      }
    }
    #expect(found == [[9, 7, 7, 7, 7, 7], [7, 7, 7, 7, 7, 7], [nil, nil, nil, nil, nil, nil]])
  }

  @Test("a moment outside the years 1 to 9999 reaches validation as one that it refuses")
  func unrepresentableMoment() throws {
    let moments = [
      Google_Protobuf_Timestamp(seconds: .max, nanos: 0), Google_Protobuf_Timestamp(seconds: 0, nanos: -1),
      Google_Protobuf_Timestamp(seconds: .min, nanos: 999_999_999),
    ]
    let rows = moments.map { moment in Comanda_V1_ImportRow.with { $0.order.placedAt = moment } }
    for row in try ImportChunkDecoder().rows(of: chunkMessage(rows)) {
      guard case .order(let order) = row.content else {
        Issue.record("not an order")
        continue
      }
      #expect(throws: InvalidOrder.self) { try order.validated(now: Timestamp(microseconds: 0)) }
      #expect(order.placedAt == Timestamp.representable.lowerBound)
    }
  }
}
