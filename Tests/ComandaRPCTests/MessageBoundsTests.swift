import ComandaRPC
import Testing

@Suite("Bounds of requests")
struct MessageBoundsTests {
  private static let line = MessageBounds(
    "test.Line", [.init(1, "name", .text(maxLength: 8)), .init(2, "price", .varint)])
  private static let bounds = MessageBounds(
    "test.Request",
    [
      .init(1, "id", .text(maxLength: 4)),
      .init(2, "status", .enumeration([(1, "OPEN"), (2, "CLOSED")])),
      .init(3, "statuses", .enumeration([(1, "OPEN"), (2, "CLOSED")]), maxCount: 3),
      .init(4, "lines", .message(line), maxCount: 2),
      .init(5, "start_at", .timestamp),
      .init(6, "hash", .bytes(maxLength: 2)),
      .init(7, "", .message(line)),
      .init(8, "numbers", .fixed32, maxCount: 2),
    ])

  /// The violations as `field problem`; nil for bytes that are no message.
  private func check(_ bytes: [UInt8]) -> [RequestViolation]? {
    do {
      try bytes.withUnsafeBytes { try Self.bounds.check($0) }
      return []
    } catch {
      return (error as? RefusedRequest)?.violations
    }
  }

  private func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(content.count)] + content
  }

  @Test("a request within its bounds passes, and so does an empty one")
  func right() {
    #expect(check([]) == [])
    let whole: [UInt8] =
      field(1, Array("äöüß".utf8)) + [2 << 3, 2, 3 << 3, 1, 3 << 3 | 2, 2, 2, 0] + field(4, [8 | 2, 1, 65])
      + field(4, [])
      + field(5, [8, 1, 16, 5]) + field(6, [0, 255]) + field(8, [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(check(whole) == [])
  }

  struct Wrong: CustomTestStringConvertible, Sendable {
    let bytes: [UInt8]
    let field: String
    let problem: RequestViolation.Problem
    var testDescription: String { "\(field): \(problem)" }
  }

  static let wrong: [Wrong] = [
    Wrong(bytes: [10, 5] + Array("abcde".utf8), field: "id", problem: .tooLong(length: 5, limit: 4)),
    Wrong(bytes: [10, 2, 0xC3, 0x28], field: "id", problem: .notUTF8),
    Wrong(bytes: [10, 1, 0], field: "id", problem: .controlCharacter(0)),
    Wrong(bytes: [10, 2, 65, 0x1B], field: "id", problem: .controlCharacter(0x1B)),
    Wrong(bytes: [10, 1, 65, 10, 1, 66], field: "id", problem: .repeated),
    Wrong(bytes: [16, 0x82, 0x80, 4], field: "status", problem: .unknownValue(65_538, known: ["OPEN", "CLOSED"])),
    // 2^32 + 1, which a decoder cuts to 1.
    Wrong(
      bytes: [16, 0x81, 0x80, 0x80, 0x80, 0x10], field: "status",
      problem: .unknownValue(4_294_967_297, known: ["OPEN", "CLOSED"])),
    Wrong(
      bytes: [16, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], field: "status",
      problem: .unknownValue(-1, known: ["OPEN", "CLOSED"])),
    Wrong(bytes: [26, 2, 1, 9], field: "statuses[1]", problem: .unknownValue(9, known: ["OPEN", "CLOSED"])),
    Wrong(bytes: [24, 1, 26, 3, 1, 1, 1], field: "statuses", problem: .tooMany(limit: 3)),
    Wrong(bytes: [34, 0, 34, 0, 34, 0], field: "lines", problem: .tooMany(limit: 2)),
    Wrong(bytes: [34, 0, 34, 3, 10, 1, 7], field: "lines[1].name", problem: .controlCharacter(7)),
    Wrong(
      bytes: [42, 11, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1], field: "start_at",
      problem: .momentOutOfRange(seconds: -1, nanoseconds: 0)),
    Wrong(
      bytes: [42, 6, 16, 0x80, 0x94, 0xEB, 0xDC, 3], field: "start_at",
      problem: .momentOutOfRange(seconds: 0, nanoseconds: 1_000_000_000)),
    Wrong(bytes: [50, 3, 1, 2, 3], field: "hash", problem: .tooManyBytes(count: 3, limit: 2)),
    Wrong(bytes: [58, 3, 10, 1, 7], field: "name", problem: .controlCharacter(7)),
    Wrong(bytes: [58, 0, 58, 0], field: "", problem: .repeated),
    Wrong(
      bytes: [66, 12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], field: "numbers", problem: .tooMany(limit: 2)),
  ]

  @Test("what breaks a bound is named", arguments: wrong)
  func violation(_ wrong: Wrong) {
    #expect(check(wrong.bytes) == [RequestViolation(field: wrong.field, problem: wrong.problem)])
  }

  @Test("violations are reported up to a bound")
  func manyViolations() {
    let bytes = (0..<1_000).flatMap { _ in [10, 1, 0] as [UInt8] }
    #expect(check(bytes)?.count == MessageBounds.reportedViolations)
  }

  @Test(
    "bytes that are no message are refused as such",
    arguments: [
      [10], [10, 5, 65], [0, 1], [11], [12], [15], [16, 128], [42, 2, 16, 128], [8 << 3 | 5, 1, 2],
      [16, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], [10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
      [255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
    ] as [[UInt8]])
  func malformed(_ bytes: [UInt8]) {
    #expect(check(bytes) == nil)
  }

  @Test("fields of a later version are skipped, up to a bound")
  func unknownFields() {
    let later: [UInt8] = [0x80 | 0x78, 6, 1]  // field 111, a number
    #expect(check(Array(repeating: later, count: 100).flatMap(\.self)) == [])
    #expect(check(Array(repeating: later, count: 101).flatMap(\.self)) == nil)
    // A known number of another type is unknown too, as Protobuf has it.
    #expect(check([8, 1]) == [])
  }

  @Test("random bytes never trap", arguments: 0..<20 as Range<UInt64>)
  func randomBytes(_ seed: UInt64) {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func next() -> UInt8 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 24)
    }
    for _ in 0..<2_000 {
      _ = check((0..<Int(next() % 40)).map { _ in next() % 5 == 0 ? next() : next() % 80 })
    }
  }
}
