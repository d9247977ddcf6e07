import ComandaImportFiles
import Testing

@Suite("Amounts, quantities and times")
struct CellParserTests {
  /// What became of a cell.
  private enum Reading: Equatable {
    case value(Int64)
    case absent
    case fault(CellError.Code)
  }

  private func read(_ parse: () throws(CellFault) -> Int64?) -> Reading {
    do throws(CellFault) {
      return try parse().map(Reading.value) ?? .absent
    } catch {
      return .fault(error.code)
    }
  }

  private func amount(_ cell: String, _ code: String, _ format: NumberFormat = .point) throws -> Reading {
    let parser = AmountParser(currency: try #require(CurrencyUnit(code: code)), format: format)
    let bytes = Array(cell.utf8)
    return read { () throws(CellFault) in try parser.parse(bytes.span) }
  }

  private func quantity(_ cell: String, _ format: NumberFormat = .point) -> Reading {
    let bytes = Array(cell.utf8)
    return read { () throws(CellFault) in try QuantityParser(format: format).parse(bytes.span) }
  }

  private func time(_ cell: String) -> Reading {
    let bytes = Array(cell.utf8)
    return read { () throws(CellFault) in try TimeParser.parse(bytes.span) }
  }

  @Test(
    "amounts become minor units of their currency",
    arguments: [
      ("$2.39 ", "USD", 239), ("2", "USD", 200), ("2.5", "USD", 250), (".5", "USD", 50), ("5.", "USD", 500),
      ("0", "USD", 0), ("1,234.50", "USD", 123_450), ("1,234,567.89", "USD", 123_456_789), ("+3.10", "USD", 310),
      ("1 234.50", "USD", 123_450), ("1\u{A0}234.50", "USD", 123_450), ("1'234.50", "USD", 123_450),
      ("USD 12", "USD", 1200), ("12 usd", "USD", 1200), ("US$12", "USD", 1200), ("2.500", "USD", 250),
      ("¥1,200", "JPY", 1200), ("￥１，２００", "JPY", 1200), ("1200円", "JPY", 1200), ("1200.00", "JPY", 1200),
      ("１２００", "JPY", 1200), ("　1200　", "JPY", 1200), ("1.234", "KWD", 1234), ("1 234.50 ₸", "KZT", 123_450),
      ("€ 7", "EUR", 700), ("007", "JPY", 7), ("9223372036854775807", "JPY", Int64.max),
      ("92233720368547758.07", "USD", Int64.max), ("12.00", "USD", 1200),
    ] as [(String, String, Int64)])
  func amounts(cell: String, code: String, minorUnits: Int64) throws {
    #expect(try amount(cell, code) == .value(minorUnits))
  }

  @Test(
    "amounts that cannot be read exactly are refused, each for its reason",
    arguments: [
      ("abc", "USD", .notANumber), ("1,23", "USD", .notANumber), ("12,34.50", "USD", .notANumber),
      ("1,2345", "USD", .notANumber), ("1234,567", "USD", .notANumber), ("1.2.3", "USD", .notANumber),
      ("1,234 567", "USD", .notANumber), ("1E+05", "USD", .notANumber), ("$", "USD", .notANumber),
      ("1 2", "USD", .notANumber), (".", "USD", .notANumber), (",", "USD", .notANumber), ("5-3", "USD", .notANumber),
      ("12 pieces", "USD", .notANumber), ("1.5.", "USD", .notANumber), ("NaN", "USD", .notANumber),
      ("-5.00", "USD", .negativeAmount), ("$-5", "USD", .negativeAmount), ("(5.00)", "USD", .negativeAmount),
      ("5-", "USD", .negativeAmount), ("−5", "USD", .negativeAmount),
      ("2.399", "USD", .tooManyDecimals), ("100.5", "JPY", .tooManyDecimals), ("1.2345", "KWD", .tooManyDecimals),
      ("$5", "JPY", .currencyMismatch), ("5 EUR", "USD", .currencyMismatch), ("¥5", "USD", .currencyMismatch),
      ("9223372036854775808", "JPY", .outOfRange), ("92233720368547758.08", "USD", .outOfRange),
      ("99999999999999999999999999", "JPY", .outOfRange),
    ] as [(String, String, CellError.Code)])
  func badAmounts(cell: String, code: String, fault: CellError.Code) throws {
    #expect(try amount(cell, code) == .fault(fault))
  }

  @Test("a cell that says nothing is no amount", arguments: ["", " ", "NULL", " NULL ", "\\N", "\u{3000}"])
  func absent(cell: String) throws {
    #expect(try amount(cell, "USD") == .absent)
    #expect(quantity(cell) == .absent)
    #expect(time(cell) == .absent)
  }

  @Test("where the comma marks decimals, the point groups digits")
  func commaFormat() throws {
    #expect(try amount("1.234,50", "EUR", .comma) == .value(123_450))
    #expect(try amount("12,5", "EUR", .comma) == .value(1250))
    #expect(try amount("12.50", "EUR", .comma) == .fault(.notANumber))
    #expect(quantity("1,250", .comma) == .value(1250))
  }

  @Test("a fault says what was wrong and what would be right")
  func messages() throws {
    let yen = AmountParser(currency: .yen)
    let cases = [
      ("abc", #""abc" is not an amount; write digits such as 1234.50 or 1,234.50"#),
      ("1.5", #""1.5" has too many decimals; JPY has no decimals"#),
      ("-1", #""-1" is below zero; write an amount of 0 or more"#),
    ]
    for (cell, message) in cases {
      #expect(throws: CellFault.self) { try yen.parse(Array(cell.utf8).span) }
      do { _ = try yen.parse(Array(cell.utf8).span) } catch { #expect(error.message == message) }
    }
  }

  @Test(
    "quantities become thousandths, below zero too",
    arguments: [
      ("1", 1000), ("0.5", 500), ("1.250", 1250), ("0", 0), ("-1", -1000), ("+2", 2000), ("1,000", 1_000_000),
      ("２", 2000), ("1.0000", 1000), (" 3 ", 3000), ("9223372036854775.807", Int64.max),
    ] as [(String, Int64)])
  func quantities(cell: String, thousandths: Int64) {
    #expect(quantity(cell) == .value(thousandths))
  }

  @Test(
    "quantities that cannot be read exactly are refused",
    arguments: [
      ("two", .notANumber), ("1.2345", .tooManyDecimals), ("9223372036854775.808", .outOfRange), ("--1", .notANumber),
      ("1 kg", .notANumber), ("1/2", .notANumber),
    ] as [(String, CellError.Code)])
  func badQuantities(cell: String, fault: CellError.Code) {
    #expect(quantity(cell) == .fault(fault))
  }

  @Test(
    "times become microseconds since 1970, UTC where they do not say",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("2026-11-21T10:15:30Z", 1_795_256_130_000_000),
      ("2026-11-21 10:15:30", 1_795_256_130_000_000), ("2026-11-21 10:15", 1_795_256_100_000_000),
      ("2026/11/21 10:15", 1_795_256_100_000_000), ("2026-11-21T19:15:30+09:00", 1_795_256_130_000_000),
      ("2026-11-21t10:15:30.1234567z", 1_795_256_130_123_456), ("2024-02-29T00:00:00Z", 1_709_164_800_000_000),
      ("1969-12-31T23:59:59.5Z", -500_000), ("2026-11-21T05:15:30-05:00", 1_795_256_130_000_000),
      ("0001-01-01T00:00:00Z", -62_135_596_800_000_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000_000),
      ("2026/1/5 9:03", 1_767_603_780_000_000), ("2026-11-21", 1_795_219_200_000_000),
      ("２０２６-１１-２１ １０:１５", 1_795_256_100_000_000),
    ] as [(String, Int64)])
  func times(cell: String, microseconds: Int64) {
    #expect(time(cell) == .value(microseconds))
  }

  @Test(
    "what is no time is refused",
    arguments: [
      "yesterday", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-21T24:00:00Z",
      "2026-11-21T10:60:00Z", "2026-11-21T10:15:60Z", "2026-11-21T10:15:30+0900", "2026-11-21T10:15:30.Z",
      "26-11-21 10:15", "2026-11-21 10:5", "2026-11-21T", "2026-11-21 10",
      "2026-11/21 10:15", "2026-11-21T10:15:30Zx", "11/21/2026 10:15", "2026-00-10 10:15", "1900-02-29 00:00",
    ])
  func badTimes(cell: String) {
    #expect(time(cell) == .fault(.notATime))
  }

  @Test("currencies have the exponents of ISO 4217")
  func currencies() {
    #expect(CurrencyUnit(code: "JPY")?.exponent == 0)
    #expect(CurrencyUnit(code: "usd")?.exponent == 2)
    #expect(CurrencyUnit(code: "KWD")?.exponent == 3)
    #expect(CurrencyUnit(code: "XYZ") == nil)
    #expect(CurrencyUnit(code: "") == nil)
  }
}
