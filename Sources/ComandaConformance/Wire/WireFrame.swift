import Foundation

/// A frame that arrived, or one that was sent, taken apart.
struct WireFrame: Sendable {
  let type: UInt8
  let flags: UInt8
  let stream: UInt32
  /// The name of its type; `TYPE_200` for one that is to be skipped.
  let name: String
  /// Its fields; flags are true or false. Bytes are in ``bytes``.
  let fields: [String: JSONValue]
  /// The message of OPEN, the segment of DATA, the message of RESPONSE, the details of STATUS.
  let bytes: Data

  /// What the frame costs of the sender's credit.
  var cost: UInt64 {
    guard name == "DATA", !(bytes.isEmpty && flags == 1) else { return 0 }
    return UInt64(FrameFormat.headerSize + bytes.count)
  }

  func number(_ field: String) -> UInt64 {
    fields[field]?.unsigned ?? 0
  }

  func isSet(_ flag: String) -> Bool {
    fields[flag] == true
  }
}

extension WireFrame: CustomStringConvertible {
  var description: String {
    var shown = fields.filter { $0.value != false && $0.value != [] && $0.value != "" }
    if !bytes.isEmpty { shown["bytes"] = .text("\(bytes.count) bytes") }
    if name == "CLOSE" { shown["code"] = .text(FrameFormat.closeCode(number("code"))) }
    return "\(name)\(stream == 0 ? "" : " on call \(stream)")\(shown.isEmpty ? "" : " \(JSONValue.object(shown))")"
  }
}

/// Bytes that are no frame.
struct MalformedFrame: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

extension WireFrame {
  /// Takes the first frame off some bytes; nil while it is not there in full. Strict: what a receiver must refuse, it
  /// refuses.
  static func take(from bytes: inout Data) throws(MalformedFrame) -> WireFrame? {
    guard bytes.count >= 4 else { return nil }
    var reader = ByteReader(bytes)
    let length = try Int(reader.integer(3, "the length"))
    guard length <= FrameFormat.payloadLimit else {
      throw MalformedFrame("a length of \(length); at most \(FrameFormat.payloadLimit)")
    }
    guard bytes.count >= FrameFormat.headerSize + length else { return nil }
    let type = try UInt8(truncatingIfNeeded: reader.integer(1, "the type"))
    let flags = try UInt8(truncatingIfNeeded: reader.integer(1, "the flags"))
    let stream = try UInt32(truncatingIfNeeded: reader.integer(4, "the stream"))
    let payload = try reader.bytes(length, "the payload")
    // A slice: of half a megabyte of small frames, a copy of the rest for each would be gigabytes.
    bytes = bytes.dropFirst(FrameFormat.headerSize + length)
    return try WireFrame(type: type, flags: flags, stream: stream, payload: payload)
  }

  private init(type: UInt8, flags: UInt8, stream: UInt32, payload: Data) throws(MalformedFrame) {
    self.type = type
    self.flags = flags
    self.stream = stream
    guard let format = FrameFormat.of(type: type) else {
      guard type >= FrameFormat.skippedTypes else { throw MalformedFrame("the type \(type)") }
      name = "TYPE_\(type)"
      fields = [:]
      bytes = payload
      return
    }
    name = format.name
    guard stream <= FrameFormat.highestStream else { throw MalformedFrame("\(name) with the reserved bit") }
    switch format.scope {
    case .connection: guard stream == 0 else { throw MalformedFrame("\(name) on stream \(stream)") }
    case .call: guard stream != 0 else { throw MalformedFrame("\(name) on stream 0") }
    case .either: break
    }
    let known = format.flags.reduce(0) { $0 | $1.bit }
    guard flags & ~known == 0 else { throw MalformedFrame("\(name) with the flags \(flags)") }

    var fields: [String: JSONValue] = [:]
    for flag in format.flags { fields[flag.name] = .bool(flags & flag.bit != 0) }
    var bytes = Data()
    var reader = ByteReader(payload)
    for field in format.fields {
      switch field.kind {
      case .rest: bytes = reader.rest()
      case .bytes16: bytes = try reader.bytes(Int(reader.integer(2, field.name)), field.name)
      case .settings: fields.merge(try Self.settings(&reader)) { $1 }
      default: fields[field.name] = try Self.value(field.kind, field.name, &reader)
      }
    }
    guard reader.isAtEnd else { throw MalformedFrame("\(name) that goes on after its last field") }
    if type == 2, flags & 4 == 0, !bytes.isEmpty { throw MalformedFrame("OPEN with a message and without its flag") }
    self.fields = fields
    self.bytes = bytes
    try checkBounds()
  }

  private static func value(
    _ kind: FrameFormat.FieldKind, _ name: String, _ reader: inout ByteReader
  ) throws(MalformedFrame) -> JSONValue {
    switch kind {
    case .u8: JSONValue(unsigned: try reader.integer(1, name))
    case .u16: JSONValue(unsigned: try reader.integer(2, name))
    case .u32: JSONValue(unsigned: try reader.integer(4, name))
    case .u64: JSONValue(unsigned: try reader.integer(8, name))
    case .text8: .text(try reader.text(Int(reader.integer(1, name)), name))
    case .text16: .text(try reader.text(Int(reader.integer(2, name)), name))
    case .fields: .array(try metadata(&reader))
    case .bytes16, .settings, .rest: .null
    }
  }

  private static func metadata(_ reader: inout ByteReader) throws(MalformedFrame) -> [JSONValue] {
    let count = try reader.integer(1, "the number of fields")
    guard count <= 64 else { throw MalformedFrame("\(count) fields of metadata; at most 64") }
    var size = 0
    var fields: [JSONValue] = []
    for _ in 0..<count {
      let key = try reader.text(Int(reader.integer(1, "a key")), "a key")
      let value = try reader.text(Int(reader.integer(2, "a value")), "a value")
      guard !key.isEmpty, key.utf8.allSatisfy(isKeyByte) else { throw MalformedFrame("the key '\(key)'") }
      size += 3 + key.utf8.count + value.utf8.count
      fields.append([.text(key), .text(value)])
    }
    guard size <= 8_192 else { throw MalformedFrame("\(size) bytes of metadata; at most 8192") }
    return fields
  }

  private static func isKeyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
    default: false
    }
  }

  private static func settings(_ reader: inout ByteReader) throws(MalformedFrame) -> [String: JSONValue] {
    var values = Dictionary(
      uniqueKeysWithValues: FrameFormat.settings.map { ($0.name, JSONValue(unsigned: $0.default)) })
    for _ in 0..<(try reader.integer(1, "the number of settings")) {
      let number = try reader.integer(2, "a setting")
      let value = try reader.integer(8, "a setting's value")
      if let setting = FrameFormat.settings.first(where: { $0.number == number }) {
        values[setting.name] = JSONValue(unsigned: value)
      }
    }
    return values
  }

  private func checkBounds() throws(MalformedFrame) {
    if name == "STATUS" {
      if let message = fields["message"]?.text, message.utf8.count > 2_048 {
        throw MalformedFrame("a status message of \(message.utf8.count) bytes; at most 2048")
      }
      if bytes.count > 4_096 { throw MalformedFrame("details of \(bytes.count) bytes; at most 4096") }
    }
    if name == "CREDENTIAL", let token = fields["token"]?.text, token.utf8.count > 4_096 {
      throw MalformedFrame("a token of \(token.utf8.count) bytes; at most 4096")
    }
    if name == "STREAMS" || name == "HELLO", number(name == "STREAMS" ? "limit" : "streams") > FrameFormat.highestStream
    {
      throw MalformedFrame("\(name) of more than 2^31 - 1 calls")
    }
  }
}

/// Reads numbers and texts off bytes.
struct ByteReader {
  private let bytes: Data
  private var position: Data.Index

  init(_ bytes: Data) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  var isAtEnd: Bool {
    position == bytes.endIndex
  }

  mutating func integer(_ size: Int, _ name: String) throws(MalformedFrame) -> UInt64 {
    try bytes(size, name).reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func bytes(_ count: Int, _ name: String) throws(MalformedFrame) -> Data {
    guard bytes.endIndex - position >= count else { throw MalformedFrame("a frame that ends before \(name)") }
    defer { position += count }
    return bytes[position..<position + count]
  }

  mutating func text(_ count: Int, _ name: String) throws(MalformedFrame) -> String {
    guard let text = String(validating: try bytes(count, name), as: UTF8.self) else {
      throw MalformedFrame("\(name) that is not UTF-8")
    }
    return text
  }

  mutating func rest() -> Data {
    defer { position = bytes.endIndex }
    return bytes[position...]
  }
}
