import Foundation

/// A value of JSON. Numbers are whole; those beyond 2^63 − 1 are written as text, as Protobuf's JSON does.
enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(Int64)
  case text(String)
  case array([JSONValue])
  case object([String: JSONValue])
}

extension JSONValue {
  /// The whole number, also from its text.
  var unsigned: UInt64? {
    switch self {
    case .number(let number): UInt64(exactly: number)
    case .text(let text): UInt64(text)
    default: nil
    }
  }

  var text: String? {
    if case .text(let text) = self { text } else { nil }
  }

  var array: [JSONValue]? {
    if case .array(let array) = self { array } else { nil }
  }

  var object: [String: JSONValue]? {
    if case .object(let object) = self { object } else { nil }
  }

  /// A number that may be above 2^63 − 1.
  init(unsigned: some UnsignedInteger & FixedWidthInteger) {
    self = Int64(exactly: unsigned).map(JSONValue.number) ?? .text("\(unsigned)")
  }

  /// With repetitions written out: in an array `{"times": n, "items": […]}` stands for its items so many times, and
  /// anywhere `{"times": n, "text": "…"}` for a text so many times.
  var repetitionsWrittenOut: JSONValue {
    switch self {
    case .array(let array):
      .array(
        array.flatMap { element -> [JSONValue] in
          guard let object = element.object, object.count == 2, let times = object["times"]?.unsigned,
            let items = object["items"]?.array
          else { return [element.repetitionsWrittenOut] }
          let written = items.map(\.repetitionsWrittenOut)
          return (0..<min(times, Self.repetitionLimit)).flatMap { _ in written }
        })
    case .object(let object):
      if object.count == 2, let times = object["times"]?.unsigned, let text = object["text"]?.text {
        .text(String(repeating: text, count: Int(min(times, Self.repetitionLimit))))
      } else {
        .object(object.mapValues(\.repetitionsWrittenOut))
      }
    case .null, .bool, .number, .text: self
    }
  }

  private static let repetitionLimit: UInt64 = 1 << 20

  /// Every text in it replaced, where the replacement is not nil.
  func replacingTexts(_ replacement: (String) -> JSONValue?) -> JSONValue {
    switch self {
    case .text(let text): replacement(text) ?? self
    case .array(let array): .array(array.map { $0.replacingTexts(replacement) })
    case .object(let object): .object(object.mapValues { $0.replacingTexts(replacement) })
    case .null, .bool, .number: self
    }
  }
}

extension JSONValue: Codable {
  init(from decoder: any Decoder) throws {
    // The most frequent kinds first: a failed attempt costs more than a success.
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      self = .text(text)
    } else if let object = try? container.decode([String: JSONValue].self) {
      self = .object(object)
    } else if let number = try? container.decode(Int64.self) {
      self = .number(number)
    } else if let array = try? container.decode([JSONValue].self) {
      self = .array(array)
    } else if let bool = try? container.decode(Bool.self) {
      self = .bool(bool)
    } else if container.decodeNil() {
      self = .null
    } else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "a number must be whole and below 2^63; write larger ones as text")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let bool): try container.encode(bool)
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    case .array(let array): try container.encode(array)
    case .object(let object): try container.encode(object)
    }
  }

  /// The value in JSON's notation, its keys sorted.
  var encoded: Data {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return try encoder.encode(self)
    }
  }
}

extension JSONValue: CustomStringConvertible, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// JSON's notation, cut where it grows long: for messages.
  var description: String {
    guard let data = try? encoded else { return "?" }
    let text = String(decoding: data, as: UTF8.self)
    return text.count > 300 ? "\(text.prefix(300))…" : text
  }

  init(stringLiteral value: String) { self = .text(value) }
  init(integerLiteral value: Int64) { self = .number(value) }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }
}
