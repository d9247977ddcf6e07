import ComandaImportFiles
import Testing

@Suite("Delimited reader")
struct DelimitedReaderTests {
  @Test("cells are split at the delimiter, and empty ones count")
  func cells() {
    #expect(records("a,b,c\n,,\nd").map(\.texts) == [["a", "b", "c"], ["", "", ""], ["d"]])
    #expect(records("a\tb,c\n", .tab).map(\.texts) == [["a", "b,c"]])
    #expect(records("a;b,c\n", .semicolon).map(\.texts) == [["a", "b,c"]])
    #expect(records("a,").map(\.texts) == [["a", ""]])
    #expect(records("").isEmpty)
  }

  @Test("quoted cells hold delimiters, line breaks and doubled quotes")
  func quotedCells() {
    let all = records("\"a,b\",\"c\nd\",\"e\"\"f\"\n\"\",\"\"\"\"\n")
    #expect(all.map(\.texts) == [["a,b", "c\nd", "e\"f"], ["", "\""]])
    #expect(all.allSatisfy { $0.problem == nil })
  }

  @Test("a quote inside of an unquoted cell is data")
  func quoteInPlainCell() {
    let all = records("12\" pizza,a \"b\" c,5\"\n")
    #expect(all.map(\.texts) == [["12\" pizza", "a \"b\" c", "5\""]])
    #expect(all.first?.problem == nil)
  }

  @Test("LF, CRLF and CR end lines, and are counted once each, in quoted cells too")
  func lineNumbers() {
    let all = records("a\nb\r\nc\rd,\"x\r\ny\nz\"\ne")
    #expect(all.map(\.firstLine) == [1, 2, 3, 4, 7])
    #expect(all.map(\.lastLine) == [1, 2, 3, 6, 7])
    #expect(all.map(\.terminator) == [.lineFeed, .both, .carriageReturn, .lineFeed, .none])
  }

  @Test("an empty line is a record with one empty cell")
  func emptyLine() {
    let all = records("a\n\nb\n")
    #expect(all.map(\.texts) == [["a"], [""], ["b"]])
    #expect(all.map(\.firstLine) == [1, 2, 3])
  }

  @Test("a byte order mark is skipped at the beginning and nowhere else")
  func byteOrderMark() {
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    #expect(records(mark + Array("a,b".utf8), chunkLengths: [1, 1, 1, 1]).map(\.texts) == [["a", "b"]])
    #expect(records("a\n\u{FEFF}b").map(\.texts) == [["a"], ["\u{FEFF}b"]])
    #expect(records([0xEF, 0xBB]).map(\.bytes) == [[0xEF, 0xBB]])
  }

  @Test("text after a closing quote spoils its line only")
  func textAfterClosingQuote() {
    let all = records("1,\"a\"b,c\n2,\"d\",e\n")
    #expect(all.map(\.problem) == [.textAfterClosingQuote, nil])
    #expect(all.map(\.trustedCells) == [1, 3])
    #expect(all.map { String(decoding: $0.bytes, as: UTF8.self) } == ["1,\"a\"b,c", "2,\"d\",e"])
  }

  @Test("a stray opening quote spoils its line only, though the next quote is lines away")
  func strayOpeningQuote() {
    let all = records("1,\"a,x\n2,b,y\n3,\"c\",z\n4,d,w\n")
    #expect(all.map(\.problem) == [.unterminatedQuote, nil, nil, nil])
    #expect(all.map(\.firstLine) == [1, 2, 3, 4])
    #expect(all.map(\.trustedCells) == [1, 3, 3, 3])
    #expect(all[2].texts == ["3", "c", "z"])
  }

  @Test("a quote that is open at the end of the file spoils its line only")
  func unterminatedAtEnd() {
    let all = records("1,\"a,x\r\n2,b,y\r\n3,c,z")
    #expect(all.map(\.problem) == [.unterminatedQuote, nil, nil])
    #expect(all.map(\.terminator) == [.both, .both, .none])
    #expect(records("1,\"a").map(\.problem) == [.unterminatedQuote])
  }

  @Test("an unclosed quote after a cell with line breaks spoils the record up to its own line")
  func unterminatedAfterLineBreaks() {
    let all = records("1,\"a\nb\",\"c\n2,d,e\n")
    #expect(all.map(\.problem) == [.unterminatedQuote, nil])
    #expect(all.map(\.firstLine) == [1, 3])
    #expect(all.map(\.lastLine) == [2, 3])
  }

  @Test("in TSV a quote that does not close properly is data")
  func strayQuotesInTSV() {
    let all = records("1\t\"Big\" pizza\tx\n2\t\"b\ty\n3\t\"c\td\"\tz\n4\t\"e\n", .tab)
    #expect(
      all.map(\.texts) == [
        ["1", "\"Big\" pizza", "x"], ["2", "\"b", "y"], ["3", "c\td", "z"], ["4", "\"e"],
      ])
    #expect(all.allSatisfy { $0.problem == nil })
  }

  @Test("a quoted cell may span as many lines as the limit says, and not one more")
  func lineLimit() {
    var limits = DelimitedLimits()
    limits.recordLines = 4
    let fits = records(Array("1,\"a\nb\nc\nd\"\n2\n".utf8), limits: limits)
    #expect(fits.map(\.problem) == [nil, nil])
    let spills = records(Array("1,\"a\nb\nc\nd\ne\"\n2\n".utf8), limits: limits)
    #expect(spills.first?.problem == .unterminatedQuote)
    #expect(spills.first?.lastLine == 1)
    #expect(spills.map(\.firstLine) == [1, 2, 3, 4, 5, 6])
  }

  @Test("a record of the limit passes whole, one byte more is cut and counted")
  func sizeLimit() {
    var limits = DelimitedLimits()
    limits.recordBytes = 100
    limits.keptBytesOfCutRecord = 10
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 98)
    let fits = records(Array("1,".utf8) + long + Array("\n2\n".utf8), limits: limits)
    #expect(fits.map(\.problem) == [nil, nil])
    let cut = records(Array("1,".utf8) + long + Array("x,y\r\n2\n".utf8), limits: limits)
    #expect(cut.map(\.problem) == [.tooLarge, nil])
    #expect(cut.first?.bytes.count == 10)
    #expect(cut.first?.droppedBytes == 93)
    #expect(cut.first?.terminator == .both)
    #expect(cut.first?.texts == ["1"])
    #expect(cut.map(\.firstLine) == [1, 2])
  }

  @Test("a 300 KB cell is cut, quoted or not, and the lines around it are read")
  func hugeCell() {
    let huge = String(repeating: "x", count: 300_000)
    for cell in [huge, "\"\(huge)\""] {
      let all = records("1,a\n2,\(cell)\n3,b\n")
      #expect(all.map(\.problem) == [nil, .tooLarge, nil])
      #expect(all.map(\.firstLine) == [1, 2, 3])
      #expect(all[1].texts == ["2"])
      #expect(all[1].bytes.count == 4096)
    }
  }

  @Test("bytes that are not UTF-8, and NUL, are reported with their place and kept")
  func notText() {
    let all = records(Array("1,a".utf8) + [0xE9] + Array("b\n2,".utf8) + [0] + Array("\n3,é\n".utf8))
    #expect(all.map(\.problem) == [.invalidUTF8(offset: 3), .nulByte(offset: 2), nil])
    #expect(all.first?.bytes == Array("1,a".utf8) + [0xE9] + Array("b".utf8))
  }

  @Test(
    "each kind of malformed UTF-8 is found",
    arguments: [
      [0x80], [0xC0, 0xAF], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
    ] as [[UInt8]])
  func malformedUTF8(bytes: [UInt8]) {
    #expect(records(Array("ab".utf8) + bytes + Array("c".utf8)).first?.problem == .invalidUTF8(offset: 2))
  }
}

@Suite("Dialect")
struct DialectTests {
  private func sniffed(_ head: String, path: String = "") -> Dialect.Delimiter {
    Dialect.sniffed(fromHead: Array(head.utf8).span, path: path).delimiter
  }

  @Test("the delimiter that is most frequent in the header wins")
  func frequency() {
    #expect(sniffed("a,b,c\n") == .comma)
    #expect(sniffed("a\tb\tc\n") == .tab)
    #expect(sniffed("a;b;c\n1,5;2,5;3,5") == .semicolon)
    #expect(sniffed("\"a,b,c,d\";e;f\n") == .semicolon)
    #expect(sniffed("only\n") == .comma)
  }

  @Test("the extension decides for tabs if there are any")
  func fileExtension() {
    #expect(sniffed("a,b,c\td\n", path: "orders.TSV") == .tab)
    #expect(sniffed("a,b,c\n", path: "orders.tsv") == .comma)
  }
}
