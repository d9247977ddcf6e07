import ComandaImportFiles
import Testing

@Suite("Delimited reader, with random files")
struct DelimitedReaderPropertyTests {
  @Test("a table written as RFC 4180 comes back the same, however it is cut into chunks", arguments: 0..<60)
  func roundTrip(run: Int) {
    let seed = SplitMix64.freshSeed()
    var random = SplitMix64(seed: seed)
    let delimiter = Dialect.Delimiter.allCases.randomElement(using: &random) ?? .comma
    let terminator = ["\n", "\r\n", "\r"].randomElement(using: &random) ?? "\n"
    let width = Int.random(in: 2...6, using: &random)
    let table = (0..<Int.random(in: 1...40, using: &random)).map { _ in
      (0..<width).map { _ in Self.cell(using: &random) }
    }
    let text = table.map { row in
      row.map { Self.written($0, delimiter, using: &random) }.joined(separator: Self.character(delimiter)) + terminator
    }.joined()
    let bytes = Array(text.utf8)
    let all = records(bytes, delimiter, chunkLengths: Self.chunks(of: bytes.count, using: &random))
    #expect(all.map(\.texts) == table, "seed \(seed)")
    #expect(all.allSatisfy { $0.problem == nil }, "seed \(seed)")
  }

  @Test("any bytes give records that account for each of them, the same for all chunks", arguments: 0..<150)
  func anyBytes(run: Int) {
    let seed = SplitMix64.freshSeed()
    var random = SplitMix64(seed: seed)
    let alphabet: [[UInt8]] = [
      Array("ab,,\"\"\"\n\r\t;".utf8), Array("a\"\n".utf8), Array("a,\"\r\n".utf8) + [0, 0xE9, 0xEF, 0xBB, 0xBF],
      Array(0...255),
    ]
    let letters = alphabet.randomElement(using: &random) ?? []
    let bytes = (0..<Int.random(in: 0...600, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
    var limits = DelimitedLimits()
    limits.recordBytes = Int.random(in: 1...80, using: &random)
    limits.keptBytesOfCutRecord = Int.random(in: 0...limits.recordBytes, using: &random)
    limits.recordLines = Int.random(in: 1...5, using: &random)
    let delimiter = Dialect.Delimiter.allCases.randomElement(using: &random) ?? .comma
    let whole = records(bytes, delimiter, limits: limits)
    let cut = records(
      bytes, delimiter, limits: limits, chunkLengths: Self.chunks(of: bytes.count, using: &random))
    #expect(whole.map(Seen.init) == cut.map(Seen.init), "seed \(seed)")

    var position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var line = 1
    for record in whole {
      #expect(record.bytes.elementsEqual(bytes[position..<position + record.bytes.count]), "seed \(seed)")
      #expect(record.bytes.count <= limits.recordBytes, "seed \(seed)")
      #expect(record.lastLine - record.firstLine < limits.recordLines, "seed \(seed)")
      #expect(record.firstLine == line, "seed \(seed)")
      position += record.bytes.count + record.droppedBytes + record.terminator.length
      line = record.lastLine + 1
    }
    #expect(position == bytes.count, "seed \(seed)")
  }

  private static func character(_ delimiter: Dialect.Delimiter) -> String {
    switch delimiter {
    case .comma: ","
    case .tab: "\t"
    case .semicolon: ";"
    }
  }

  private static func cell(using random: inout SplitMix64) -> String {
    let pieces = ["", "a", "bc", "12\"", "\"", ",", ";", "\t", "\n", "\r\n", "\r", "é", "注文", "🍕", " "]
    return (0..<Int.random(in: 0...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
  }

  private static func written(
    _ cell: String, _ delimiter: Dialect.Delimiter, using random: inout SplitMix64
  ) -> String {
    let needsQuotes = cell.unicodeScalars.contains { ["\"", "\n", "\r"].contains($0) }
    guard needsQuotes || cell.contains(character(delimiter)) || Bool.random(using: &random) else { return cell }
    var quoted = "\""
    for scalar in cell.unicodeScalars {
      if scalar == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }

  private static func chunks(of count: Int, using random: inout SplitMix64) -> [Int] {
    let longest = Int.random(in: 1...50, using: &random)
    return (0...count).map { _ in Int.random(in: 1...longest, using: &random) }
  }
}
