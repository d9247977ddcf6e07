import Foundation

/// Frames of case files into bytes: right ones, and those that nobody should send.
enum FrameWriter {
  static func bytes(of frame: JSONValue) throws(CaseError) -> Data {
    var fields = try JSONFields(frame, of: "a frame")
    if let hex = try fields.text("hex") {
      try fields.end()
      return try BytesExpression.bytes(ofHex: hex)
    }
    let name = try fields.requireText("type")
    if name.hasPrefix("TYPE_"), let type = UInt8(name.dropFirst(5)) {
      let payload = try fields.take("bytes").map(BytesExpression.bytes(of:)) ?? Data()
      return try finish(&fields, type: type, flags: 0, stream: 0, payload: payload)
    }
    guard let format = FrameFormat.named(name) else { throw CaseError("there is no frame type \(name)") }
    var flags: UInt8 = 0
    for flag in format.flags where try fields.flag(flag.name) == true { flags |= flag.bit }
    var payload = Data()
    for field in format.fields {
      if format.type == 2, field.kind == .rest {
        guard let message = fields.take(field.name) else { continue }
        payload += try BytesExpression.bytes(of: message)
        flags |= 4
      } else if field.kind == .settings {
        payload += try settings(&fields)
      } else {
        let value = fields.take(field.name) ?? (field.name == "version" ? 1 : nil)
        payload += try bytes(of: value, field.kind, field.name)
      }
    }
    return try finish(&fields, type: format.type, flags: flags, stream: format.scope == .call ? 1 : 0, payload: payload)
  }

  /// Puts the header before a payload, as the frame wants to have it.
  private static func finish(
    _ fields: inout JSONFields, type: UInt8, flags: UInt8, stream: UInt32, payload: Data
  ) throws(CaseError) -> Data {
    var payload = payload
    if let count = try fields.number("cut") { payload = Data(payload.dropLast(Int(clamping: count))) }
    if let extra = try fields.text("extra") { payload += try BytesExpression.bytes(ofHex: extra) }
    let length = try fields.number("length") ?? UInt64(payload.count)
    let flags = try fields.number("flags") ?? UInt64(flags)
    let usual = try fields.number("stream") ?? UInt64(stream)
    let stream = try fields.number("onStream") ?? usual
    try fields.end()
    return integer(length, 3) + [type] + integer(flags, 1) + integer(stream, 4) + payload
  }

  private static func bytes(
    of value: JSONValue?, _ kind: FrameFormat.FieldKind, _ name: String
  ) throws(CaseError) -> Data {
    switch kind {
    case .u8: return try integer(number(value, name), 1)
    case .u16: return try integer(number(value, name), 2)
    case .u32: return try integer(number(value, name), 4)
    case .u64: return try integer(number(value, name), 8)
    case .text8: return try counted(text(value, name), 1)
    case .text16: return try counted(text(value, name), 2)
    case .bytes16: return try counted(value.map(BytesExpression.bytes(of:)) ?? Data(), 2)
    case .fields: return try metadata(value ?? [])
    case .rest: return try value.map(BytesExpression.bytes(of:)) ?? Data()
    case .settings: return Data()
    }
  }

  private static func number(_ value: JSONValue?, _ name: String) throws(CaseError) -> UInt64 {
    guard let value else { return 0 }
    guard let number = value.unsigned else { throw CaseError("\(name) is a whole number; this is \(value)") }
    return number
  }

  /// A text, or the bytes in place of one: not every wrong text is a text.
  private static func text(_ value: JSONValue?, _ name: String) throws(CaseError) -> Data {
    switch value {
    case nil: Data()
    case .text(let text)?: Data(text.utf8)
    case .object?: try BytesExpression.bytes(of: value ?? .null)
    default: throw CaseError("\(name) is a text or an expression of bytes")
    }
  }

  private static func metadata(_ value: JSONValue) throws(CaseError) -> Data {
    guard let fields = value.array else { throw CaseError("metadata is an array of [key, value]") }
    var bytes = integer(UInt64(fields.count), 1)
    for field in fields {
      guard let pair = field.array, pair.count == 2 else { throw CaseError("a field of metadata is [key, value]") }
      bytes += try counted(text(pair[0], "a key"), 1) + counted(text(pair[1], "a value"), 2)
    }
    return bytes
  }

  private static func settings(_ fields: inout JSONFields) throws(CaseError) -> Data {
    var settings: [(UInt64, UInt64)] = []
    for setting in FrameFormat.settings {
      if let value = try fields.number(setting.name) { settings.append((UInt64(setting.number), value)) }
    }
    for pair in try fields.array("settings") ?? [] {
      guard let numbers = pair.array?.compactMap(\.unsigned), numbers.count == 2 else {
        throw CaseError("settings are [number, value]")
      }
      settings.append((numbers[0], numbers[1]))
    }
    return settings.reduce(integer(UInt64(settings.count), 1)) { $0 + integer($1.0, 2) + integer($1.1, 8) }
  }

  private static func counted(_ bytes: Data, _ size: Int) -> Data {
    integer(UInt64(bytes.count), size) + bytes
  }

  /// A number in so many bytes, the highest first.
  static func integer(_ value: UInt64, _ size: Int) -> Data {
    Data((0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) })
  }
}
