import ComandaConformanceService
import ComandaProtos
import Foundation
import SwiftProtobuf

/// The bytes that a case file writes as hexadecimal digits, text, pattern, repetition or Protobuf.
enum BytesExpression {
  static func bytes(of value: JSONValue) throws(CaseError) -> Data {
    if let text = value.text { return try bytes(ofHex: text) }
    var fields = try JSONFields(value, of: "an expression of bytes")
    let bytes = try bytes(of: &fields, value)
    try fields.end()
    return bytes
  }

  private static func bytes(of fields: inout JSONFields, _ value: JSONValue) throws(CaseError) -> Data {
    if let text = try fields.text("text") { return Data(text.utf8) }
    if let count = try fields.number("pattern") { return PaddingPattern.bytes(Int(clamping: count)) }
    if let hex = try fields.text("repeat") {
      let piece = try bytes(ofHex: hex)
      let times = Int(clamping: try fields.number("times") ?? 1)
      var bytes = Data(capacity: piece.count * times)
      for _ in 0..<times { bytes.append(piece) }
      return bytes
    }
    if let name = try fields.text("protobuf") { return try bytes(of: name, fields.require("value")) }
    throw CaseError("\(value) is no expression of bytes; CONFORMANCE.md lists them")
  }

  static func bytes(ofHex text: String) throws(CaseError) -> Data {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { throw CaseError("hexadecimal digits come in pairs; '\(text.prefix(40))'") }
    var bytes = Data(capacity: digits.count / 2)
    for pair in stride(from: 0, to: digits.count, by: 2) {
      guard let high = nibble(digits[pair]), let low = nibble(digits[pair + 1]) else {
        throw CaseError("'\(text.prefix(40))' has a character that is no hexadecimal digit")
      }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func nibble(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  // MARK: - Protobuf

  private static let messages: [any SwiftProtobuf.Message.Type] = [
    Comanda_Conformance_V1_UnaryCallRequest.self, Comanda_Conformance_V1_ClientStreamingCallRequest.self,
    Comanda_Conformance_V1_ServerStreamingCallRequest.self, Comanda_Conformance_V1_BidirectionalCallRequest.self,
    Comanda_Conformance_V1_UnimplementedCallRequest.self, Comanda_Conformance_V1_CallResponse.self,
    Comanda_Conformance_V1_GetHandlerEndRequest.self, Comanda_Conformance_V1_HandlerEnd.self,
    Comanda_V1_GetHealthRequest.self, Comanda_V1_Health.self,
  ]

  private static func bytes(of name: String, _ value: JSONValue) throws(CaseError) -> Data {
    let type = try message(name)
    var value = value
    var padding = Data()
    if case .object(var fields) = value, let count = fields["padding"]?.object?["pattern"]?.unsigned,
      type is any PaddedMessage.Type
    {
      // Set apart from the JSON: millions of bytes would go through base64 for nothing.
      padding = PaddingPattern.bytes(Int(clamping: count))
      fields["padding"] = nil
      value = .object(fields)
    }
    do {
      let message = try type.init(jsonUTF8Bytes: withBase64(value).encoded)
      guard !padding.isEmpty, var padded = message as? any PaddedMessage else { return try message.serializedBytes() }
      padded.padding = padding
      return try padded.serializedBytes()
    } catch {
      throw CaseError("\(value) is no \(name): \(error)")
    }
  }

  private static func message(_ name: String) throws(CaseError) -> any SwiftProtobuf.Message.Type {
    guard let type = messages.first(where: { $0.protoMessageName.split(separator: ".").last == name[...] }) else {
      let names = messages.compactMap { $0.protoMessageName.split(separator: ".").last.map { String($0) } }
      throw CaseError("there is no message \(name); there are \(names.joined(separator: ", "))")
    }
    return type
  }

  /// Protobuf's JSON writes bytes in base64: replaces `{"pattern": n}` by that.
  private static func withBase64(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let object):
      if object.count == 1, let count = object["pattern"]?.unsigned {
        .text(PaddingPattern.bytes(Int(clamping: count)).base64EncodedString())
      } else {
        .object(object.mapValues(withBase64))
      }
    case .array(let array): .array(array.map(withBase64))
    case .null, .bool, .number, .text: value
    }
  }

  /// The fields of a message in Protobuf's JSON mapping; those that have their default are left out.
  static func fields(of bytes: Data, as name: String) throws -> JSONValue {
    let type = try message(name)
    return try JSONDecoder().decode(JSONValue.self, from: type.init(serializedBytes: bytes).jsonUTF8Data())
  }
}

/// A message that is made large by its padding.
private protocol PaddedMessage: SwiftProtobuf.Message {
  var padding: Data { get set }
}

extension Comanda_Conformance_V1_UnaryCallRequest: PaddedMessage {}
extension Comanda_Conformance_V1_ClientStreamingCallRequest: PaddedMessage {}
extension Comanda_Conformance_V1_ServerStreamingCallRequest: PaddedMessage {}
extension Comanda_Conformance_V1_BidirectionalCallRequest: PaddedMessage {}
extension Comanda_Conformance_V1_CallResponse: PaddedMessage {}
