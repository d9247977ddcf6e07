import CImportRows
import ComandaImportCodec
import ComandaProtos
import Foundation
import SwiftProtobuf
import Testing

@Suite("Messages that are refused as a whole")
struct MalformedMessageTests {
  let decoder: ImportChunkDecoder

  init() throws {
    decoder = try ImportChunkDecoder()
  }

  private func kind(of message: [UInt8]) -> ImportDecodingError.Kind? {
    do {
      _ = try decoder.decode(message)
      return nil
    } catch {
      return (error as? ImportDecodingError)?.kind
    }
  }

  @Test("a message cut at any byte is malformed, and never a shorter upload")
  func cutMessage() throws {
    var random = SeededRandom(seed: 1)
    let message = try chunkMessage([Comanda_V1_ImportRow(random.row()), Comanda_V1_ImportRow(random.row())])
    for length in 0..<message.count {
      #expect(kind(of: Array(message.prefix(length))) == .malformed, "\(length) of \(message.count) bytes")
    }
    #expect(kind(of: message) == nil)
  }

  @Test("rows cut at any byte are malformed, except between two rows")
  func cutRows() throws {
    var random = SeededRandom(seed: 2)
    let rows = (0..<3).map { _ in Comanda_V1_ImportRow(random.row()) }
    let boundaries = try (1...3).map { count in
      let bytes: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = Array(rows.prefix(count)) }.serializedBytes()
      return bytes.count
    }
    let bytes: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = rows }.serializedBytes()
    for length in 1...bytes.count {
      let result = kind(of: try chunkMessage(rows: Array(bytes.prefix(length))))
      #expect(result == (boundaries.contains(length) ? nil : .malformed), "\(length) of \(bytes.count) bytes")
    }
  }

  @Test("a changed byte is found by the checksum")
  func damaged() throws {
    var rows: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = [.with { $0.order.note = "A" }] }.serializedBytes()
    let right = checksum(of: rows)
    rows[rows.count - 1] ^= 1
    #expect(kind(of: try chunkMessage(rows: rows, crc32c: right)) == .damaged)
  }

  @Test(
    "hand-made encodings that no schema allows",
    arguments: [
      ("field number 0", [0x02, 0x00]),
      ("a key of six bytes", [0x8A, 0x80, 0x80, 0x80, 0x80, 0x00]),
      ("a length of eleven bytes", [0x0A] + [UInt8](repeating: 0x80, count: 10) + [0x00]),
      ("a length beyond the end", [0x0A, 0x7F, 0x00]),
      ("a length of 2^64 - 1", [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
      ("a length of 2^63", [0x0A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
      ("an inner length beyond the row", [0x0A, 0x02, 0x0A, 0x05, 0, 0, 0, 0, 0]),
      ("rows as a number", [0x08, 0x01]),
      ("rows as a fixed number", [0x0D, 1, 2, 3, 4]),
      ("rows as a group", [0x0B, 0x0C]),
      ("an unknown group", [0xFB, 0x01, 0xFC, 0x01]),
      ("wire type 6", [0xFE, 0x01]),
      ("wire type 7", [0xFF, 0x01, 0x00]),
      ("an unknown fixed number cut short", [0xF9, 0x01, 1, 2, 3]),
    ] as [(String, [UInt8])])
  func handMade(name: String, rows: [UInt8]) throws {
    #expect(kind(of: try chunkMessage(rows: rows)) == .malformed)
  }

  @Test("every field of the schema with every other wire type")
  func wrongWireTypes() throws {
    // The keys of the lists and messages that lead to a type, from the batch on, and the wire types of its fields.
    let types: [(path: [UInt8], firstNumber: UInt8, wireTypes: [UInt8])] = [
      ([0x0A], 1, [2, 2, 2]),
      ([0x0A, 0x0A], 2, [2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 2]),
      ([0x0A, 0x0A, 0x1A], 1, [0, 0]),
      ([0x0A, 0x0A, 0x22], 1, [2, 2, 2]),
      ([0x0A, 0x0A, 0x32], 1, [2, 2]),
      ([0x0A, 0x0A, 0x3A], 1, [2, 2, 0, 0, 0, 2]),
      ([0x0A, 0x0A, 0x42], 1, [0, 0, 0]),
      ([0x0A, 0x12], 1, [2, 2]),
      ([0x0A, 0x12, 0x12], 1, [2, 2, 2, 0]),
      ([0x0A, 0x1A], 1, [0, 2]),
    ]
    let values: [UInt8: [UInt8]] = [0: [1], 1: [0, 0, 0, 0, 0, 0, 0, 0], 2: [0], 5: [0, 0, 0, 0]]
    for type in types {
      for (index, rightType) in type.wireTypes.enumerated() {
        let number = type.firstNumber + UInt8(index)
        for (wireType, value) in values {
          let innermost = [number << 3 | wireType] + value
          let rows = type.path.reversed().reduce(innermost) { [$1, UInt8($0.count)] + $0 }
          let result = kind(of: try chunkMessage(rows: rows))
          #expect(result == (wireType == rightType ? nil : .malformed), "field \(number) in \(type.path)")
        }
      }
    }
  }

  @Test("a recursion bomb is unknown bytes below the depth of the schema, and costs neither stack nor time")
  func recursionBomb() throws {
    // From the inside out, so written backwards.
    var nested: [UInt8] = []
    for _ in 0..<60_000 { nested += ([0x0A] + length(nested.count)).reversed() }
    #expect(try decoder.rows(of: chunkMessage(rows: nested.reversed())).count == 1)
    let groups = [UInt8](repeating: 0x0B, count: ImportLimits.chunkBytes)
    #expect(kind(of: try chunkMessage(rows: groups)) == .malformed)
    let open = [UInt8](repeating: 0x0A, count: ImportLimits.chunkBytes)
    #expect(kind(of: try chunkMessage(rows: open)) == .malformed)
  }

  @Test("ten million empty rows are refused by their size, and as many as fit by their number")
  func emptyRows() throws {
    func rows(_ count: Int) -> [UInt8] {
      [UInt16](repeating: UInt16(littleEndian: 0x000A), count: count).withUnsafeBytes { Array($0) }
    }
    #expect(kind(of: try chunkMessage(rows: rows(10_000_000))) == .outOfBounds)
    #expect(kind(of: try chunkMessage(rows: rows(ImportLimits.chunkBytes / 2))) == .outOfBounds)
    #expect(kind(of: try chunkMessage(rows: rows(1_001))) == .outOfBounds)
    #expect(kind(of: try chunkMessage(rows: rows(1_000))) == nil)
  }

  @Test("a chunk of nothing but empty items stays within the memory bound")
  func emptyItems() throws {
    let items = (0..<130_000).flatMap { _ in [0x3A, 0x00] as [UInt8] }
    let row = [0x0A] + length(items.count) + items
    let rows = try decoder.rows(of: chunkMessage(rows: [0x0A] + length(row.count) + row))
    #expect(rows.map { $0.content.problems.map(\.code) } == [["TOO_MANY"]])
  }

  @Test("a field that holds one message occurs once; the last one of a oneof counts")
  func repeatedMessages() throws {
    let cost: [UInt8] = [0x42, 0x02, 0x08, 0x01]
    #expect(kind(of: try chunkMessage(rows: [0x0A, 0x06, 0x0A, 0x04] + cost)) == nil)
    #expect(kind(of: try chunkMessage(rows: [0x0A, 0x0A, 0x0A, 0x08] + cost + cost)) == .malformed)
    let order: [UInt8] = [0x0A, 0x03, 0x12, 0x01, 0x41]
    let unreadable: [UInt8] = [0x12, 0x03, 0x0A, 0x01, 0x42]
    #expect(kind(of: try chunkMessage(rows: [0x0A, 0x0A] + order + order)) == .malformed)
    let both = try decoder.rows(of: chunkMessage(rows: [0x0A, 0x0A] + order + unreadable))
    #expect(both.map { $0.content.problems.map(\.code) } == [["UNREADABLE"]])
  }

  @Test("unknown fields are skipped up to a bound")
  func unknownFields() throws {
    func rows(unknown: Int) -> [UInt8] {
      let fields = (0..<unknown).flatMap { _ in [0xF8, 0x01, 0x05] as [UInt8] }
      return [0x0A] + length(fields.count) + fields
    }
    #expect(kind(of: try chunkMessage(rows: rows(unknown: 10_000))) == nil)
    #expect(kind(of: try chunkMessage(rows: rows(unknown: 10_001))) == .outOfBounds)
  }

  @Test("what a message must say")
  func emptiness() throws {
    #expect(kind(of: []) == .malformed)
    #expect(kind(of: [0x0A, 0x00]) == .outOfBounds, "a chunk without anything")
    #expect(kind(of: try chunkMessage(rows: [])) == .outOfBounds)
    #expect(kind(of: try chunkMessage(rows: [0x0A, 0x00], firstRow: 0)) == .outOfBounds)
    #expect(kind(of: try chunkMessage(rows: [0x0A, 0x00], firstRow: -1)) == .outOfBounds)
    #expect(kind(of: try chunkMessage(rows: [0x0A, 0x00], firstRow: .max)) == .outOfBounds)
    #expect(kind(of: [0x12, 0x00]) == .outOfBounds, "a finish without a hash")
    #expect(kind(of: [0x0A, 0x03, 0x0A, 0x01, 0xFF]) == .malformed, "an import id that is no text")
    #expect(kind(of: [0x0A, 0x03, 0x0A, 0x01, 0x00]) == .malformed, "an import id of a NUL")
  }

  @Test("every error says what is wrong in a sentence")
  func descriptions() throws {
    let message = try chunkMessage(rows: [0x0A, 0x05], firstRow: 7)
    let error = #expect(throws: ImportDecodingError.self) { try decoder.decode(message) }
    #expect(error?.description == "the RowBatch at row 7 is malformed at byte 2: it ends in the middle of a field")
  }

  @Test("random damage is an error or rows, never anything else")
  func randomDamage() throws {
    let seed = ProcessInfo.processInfo.environment["COMANDA_TEST_SEED"].flatMap(UInt64.init) ?? .random(in: 0 ... .max)
    var random = SeededRandom(seed: seed)
    var refused = 0
    for _ in 0..<2_000 {
      let rows = (0..<Int.random(in: 1...4, using: &random)).map { _ in Comanda_V1_ImportRow(random.row()) }
      var bytes: [UInt8] = try Comanda_V1_RowBatch.with { $0.rows = rows }.serializedBytes()
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        guard let at = bytes.indices.randomElement(using: &random) else { break }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
        default: bytes.removeSubrange(at..<min(at + Int.random(in: 1...5, using: &random), bytes.count))
        }
      }
      do {
        let decoded = try decoder.rows(of: chunkMessage(rows: bytes))
        #expect(!decoded.isEmpty, "seed \(seed)")
      } catch let error as ImportDecodingError {
        #expect(error.kind != .outOfMemory, "seed \(seed)")
        refused += 1
      }
    }
    #expect((200..<2_000).contains(refused), "seed \(seed): damage that is never or always found tests nothing")
  }
}

/// A length as Protobuf writes it.
func length(_ count: Int) -> [UInt8] {
  var rest = count
  var bytes: [UInt8] = []
  while rest >= 0x80 {
    bytes.append(UInt8(rest & 0x7F) | 0x80)
    rest >>= 7
  }
  return bytes + [UInt8(rest)]
}
