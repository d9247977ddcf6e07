/// The frame types of WIRE.md section 4, field by field: this suite's own reading of it, which shares no code with the
/// implementation that it tests.
struct FrameFormat: Sendable {
  enum FieldKind: Sendable {
    case u8, u16, u32, u64
    /// UTF-8 behind a length of one or two bytes.
    case text8, text16
    /// Bytes behind a length of two bytes.
    case bytes16
    /// Metadata.
    case fields
    /// The settings of HELLO.
    case settings
    /// All bytes to the frame's end.
    case rest
  }

  /// Which stream a frame is on.
  enum Scope: Sendable {
    case connection, call, either
  }

  enum Sender: Sendable {
    case client, server, both
  }

  let type: UInt8
  let name: String
  let scope: Scope
  let sender: Sender
  let fields: [(name: String, kind: FieldKind)]
  /// The flags that the type has, by the names that cases use.
  var flags: [(name: String, bit: UInt8)] = []

  static let all: [FrameFormat] = [
    FrameFormat(
      type: 1, name: "HELLO", scope: .connection, sender: .both,
      fields: [("version", .u16), ("settings", .settings), ("software", .text8)]),
    FrameFormat(
      type: 2, name: "OPEN", scope: .call, sender: .client,
      fields: [("timeout", .u32), ("method", .text8), ("metadata", .fields), ("message", .rest)],
      flags: [("endStream", 1), ("hasMessage", 4)]),
    FrameFormat(
      type: 3, name: "DATA", scope: .call, sender: .both, fields: [("bytes", .rest)],
      flags: [("endStream", 1), ("endMessage", 2)]),
    FrameFormat(type: 4, name: "RESPONSE", scope: .call, sender: .server, fields: [("bytes", .rest)]),
    FrameFormat(
      type: 5, name: "STATUS", scope: .call, sender: .server,
      fields: [("code", .u8), ("message", .text16), ("details", .bytes16), ("trailers", .fields)]),
    FrameFormat(type: 6, name: "METADATA", scope: .call, sender: .server, fields: [("fields", .fields)]),
    FrameFormat(type: 7, name: "RESET", scope: .call, sender: .both, fields: [("code", .u32)]),
    FrameFormat(type: 8, name: "CREDIT", scope: .either, sender: .both, fields: [("limit", .u64)]),
    FrameFormat(type: 9, name: "STREAMS", scope: .connection, sender: .server, fields: [("limit", .u32)]),
    FrameFormat(type: 10, name: "PING", scope: .connection, sender: .both, fields: [("number", .u64)]),
    FrameFormat(type: 11, name: "PONG", scope: .connection, sender: .both, fields: [("number", .u64)]),
    FrameFormat(type: 12, name: "DRAIN", scope: .connection, sender: .server, fields: []),
    FrameFormat(type: 13, name: "DRAIN_ACK", scope: .connection, sender: .client, fields: []),
    FrameFormat(
      type: 14, name: "CLOSE", scope: .connection, sender: .both, fields: [("code", .u32), ("message", .text16)]),
    FrameFormat(type: 15, name: "CREDENTIAL", scope: .connection, sender: .client, fields: [("token", .text16)]),
  ]

  static func named(_ name: String) -> FrameFormat? {
    all.first { $0.name == name }
  }

  static func of(type: UInt8) -> FrameFormat? {
    all.first { $0.type == type }
  }

  static let headerSize = 9
  static let payloadLimit = 16_384 - headerSize
  static let highestStream: UInt32 = 0x7fff_ffff
  /// Types from here on are skipped by a receiver that does not know them.
  static let skippedTypes: UInt8 = 128

  /// The settings of HELLO by their names, with the defaults of WIRE.md section 13.
  static let settings: [(name: String, number: UInt16, default: UInt64)] = [
    ("connectionWindow", 1, 1_048_576), ("streamWindow", 2, 262_144), ("streams", 3, 100),
    ("messageSize", 4, 4_194_304),
  ]

  /// The codes of CLOSE by their numbers.
  static let closeCodes = [
    "DONE", "PROTOCOL_ERROR", "MALFORMED_FRAME", "CREDIT_EXCEEDED", "UNSUPPORTED_VERSION", "EXCESSIVE_LOAD", "TIMEOUT",
    "INTERNAL_ERROR",
  ]

  static func closeCode(_ number: UInt64) -> String {
    Int(exactly: number).flatMap { closeCodes.indices.contains($0) ? closeCodes[$0] : nil } ?? "code \(number)"
  }
}
