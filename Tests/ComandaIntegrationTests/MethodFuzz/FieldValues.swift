import ComandaRPC
import Foundation

/// Values of single fields: such as a caller sends who means well, and such as nobody should.
struct FieldValues {
  var random: SeededRandom
  let known: KnownThings

  init(random: SeededRandom, known: KnownThings) {
    self.random = random
    self.known = known
  }

  /// Whether something happens that happens so often.
  mutating func chance(_ share: Double) -> Bool {
    Double.random(in: 0..<1, using: &random) < share
  }

  mutating func one<Value>(of values: [Value]) -> Value {
    values[Int.random(in: values.indices, using: &random)]
  }

  mutating func uuid() -> String {
    var uuid = UUID().uuid
    let content = bytes(16)
    withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: content) }
    return UUID(uuid: uuid).uuidString.lowercased()
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      let word = random.next()
      withUnsafeBytes(of: word) { bytes.append(contentsOf: $0.prefix(count - bytes.count)) }
    }
    return bytes
  }

  // MARK: - Texts

  /// Most characters of a text whose bound is not in the table of its message but in the rules of orders.
  static func limit(of field: String) -> Int {
    switch field {
    case "currency": 3
    case "phone": 32
    case "external_id", "sku": 64
    case "email": 254
    case "name": 300
    case "address", "instructions": 500
    default: 1_000
    }
  }

  mutating func plausibleText(_ field: String) -> String {
    switch field {
    case "request_id": chance(0.2) ? "request-\(Int.random(in: 0..<8, using: &random))" : uuid()
    case "order_id", "order_ids": known.order(&random) ?? uuid()
    case "import_id": known.importID(&random) ?? uuid()
    case "external_id": "F-\(Int.random(in: 0..<500, using: &random))"
    case "etag": known.etag(&random) ?? "1"
    case "page_token": known.page(&random)?.token ?? ""
    case "currency": one(of: ["", "JPY", "USD", "KWD"])
    case "email": "somebody@example.com"
    case "service": one(of: ["", "comanda.v1.OrderService", "comanda.v1.BatchImportService"])
    case "locale": one(of: ["ja", "en"])
    case "text", "customer": one(of: ["Mar", "ラーメン", "a_%", "F-1"])
    case "code": one(of: ["MISSING", "NOT_A_NUMBER", "INVALID_UTF8"])
    default: one(of: ["Margherita", "ラーメン大盛り", "Zürcher Geschnetzeltes", "x", "two\nlines\tand a tab", "a'b\"c\\d%_"])
    }
  }

  /// A text that breaks something somewhere: bytes, since not all of them are text.
  mutating func extremeText(limit: Int) -> [UInt8] {
    switch Int.random(in: 0..<24, using: &random) {
    case 0: []
    case 1: [0]
    case 2: Array("a\u{0}b".utf8)
    case 3: Array(String(repeating: "a", count: limit).utf8)
    case 4: Array(String(repeating: "a", count: limit + 1).utf8)
    case 5: Array(String(repeating: "\u{1F355}", count: limit).utf8)
    case 6: Array(String(repeating: "e\u{301}", count: limit).utf8)
    // One letter with marks whose normal form is longer than they are, and one that never ends.
    case 7: Array(String(repeating: "\u{0344}", count: limit).utf8)
    case 8: Array(("a" + String(repeating: "\u{0335}", count: limit - 1)).utf8)
    case 9: Array(String(repeating: "\u{FDFA}", count: limit).utf8)
    case 10: [0xED, 0xA0, 0x80]
    case 11: [0x61, 0xC0, 0x80]
    case 12: [0xF4, 0x90, 0x80, 0x80]
    case 13: [0xF0, 0x9F, 0x8D]
    case 14: Array("\u{10FFFF}\u{FFFE}\u{FFFF}".utf8)
    case 15: Array("F-1\u{3000}".utf8)
    case 16: Array("\u{200B}F-1\u{202E}\u{FEFF}".utf8)
    case 17: Array("\u{7F}\u{1B}[2J\r\n".utf8)
    case 18: Array("\u{85}\u{2028}\u{9F}".utf8)
    case 19: Array("'; DROP TABLE orders; --$1%_\\".utf8)
    case 20: Array("00000000-0000-0000-0000-000000000000".utf8)
    case 21: Array("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF".utf8)
    case 22: Array(alteredToken().utf8)
    default: long()
    }
  }

  /// A text that is longer than any: once in a while as long as a message can be.
  private mutating func long() -> [UInt8] {
    [UInt8](
      repeating: one(of: [0x61, 0x00, 0xC3]),
      count: one(of: [100, 5_000, 20_000, 100_000, chance(0.1) ? 4_194_000 : 1]))
  }

  /// The token of a list that there is, whose place there is not: its first bytes bind it to the list.
  mutating func alteredToken() -> String {
    guard let token = known.page(&random)?.token, let data = Data(base64Encoded: token) else { return "AAAAAAAAAAA=" }
    let place: [UInt8] =
      switch Int.random(in: 0..<6, using: &random) {
      case 0: []
      case 1: number(extremeNumber())
      case 2: number(extremeNumber()) + bytes(16)
      case 3: bytes(16)
      case 4: Array(data.dropFirst(8)) + [0]
      default: Array(data.dropFirst(8).map { chance(0.1) ? $0 ^ 0xFF : $0 })
      }
    return (data.prefix(8) + Data(place)).base64EncodedString()
  }

  private func number(_ value: Int64) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian, Array.init)
  }

  // MARK: - Numbers

  mutating func plausibleNumber(_ field: String) -> Int64 {
    switch field {
    case "page_size": one(of: [0, 1, 2, 3, 50, 1_000])
    case "quantity": one(of: [1, 500, 1_000, 2_000, 1_000_000_000])
    case "total", "unit_price": one(of: [0, 1, 900, 1_200, 1_000_000, 1_000_000_000_000])
    case "subtotal", "delivery": one(of: [0, 900, 1_200])
    case "expected_rows": one(of: [0, 10, 1_000_000_000])
    case "validate_only", "without_payments", "without_notifications", "include_orders": one(of: [0, 1])
    default: .random(in: 0..<100, using: &random)
    }
  }

  mutating func extremeNumber() -> Int64 {
    switch Int.random(in: 0..<5, using: &random) {
    case 0: one(of: [.min, .min + 1, .max, .max - 1, -1])
    case 1:
      one(of: [Int64(Int32.max), Int64(Int32.max) + 1, Int64(Int32.min), Int64(Int32.min) - 1, Int64(UInt32.max)])
    case 2: one(of: [65_538, 32_768, 256, 1_000_000_000, 1_000_000_001, 1_000_000_000_001, 5_000_000_000_000_000_000])
    case 3: one(of: [0, 1, 1_000, 1_001, 9_223_372_036_854, 9_223_372_036_855, 253_402_300_799, 253_402_300_800])
    default: Int64(bitPattern: random.next()) >> Int64.random(in: 0..<64, using: &random)
    }
  }

  mutating func plausibleBits() -> UInt64 {
    one(of: [0.5, 10, 99.9]).bitPattern
  }

  mutating func extremeBits() -> UInt64 {
    let number = one(of: [
      Double.nan, .signalingNaN, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 100, -1,
    ])
    return chance(0.2) ? random.next() : number.bitPattern
  }
}
