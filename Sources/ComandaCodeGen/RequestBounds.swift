import SwiftProtobufPluginLibrary

/// One field of a request, with the bound that the schema states.
struct FieldBounds {
  /// What a field holds, and how much of it.
  enum Kind {
    /// `varint`, `fixed32`, `fixed64` or `timestamp`.
    case plain(String)
    /// `text` or `bytes`.
    case limited(String, Int?)
    /// The numbers of an enum but 0, with their names without the enum's prefix.
    case enumeration([(number: Int32, name: String)])
    case message(Descriptor)
  }

  let number: Int32
  /// What violations call it.
  let path: String
  let kind: Kind
  /// Of a list.
  let maxCount: Int?
}

/// The bounds of all messages that the requests of some services are made of.
struct RequestBounds {
  /// The fields of each message, by the message's full name.
  private(set) var fields: [String: [FieldBounds]] = [:]
  private var requests: Set<String> = []
  /// Messages whose bounds are being found: one that contains itself has none.
  private var open: [String] = []
  private let parameters: PluginParameters

  init(of files: [FileModel], _ parameters: PluginParameters) throws {
    self.parameters = parameters
    for service in files.flatMap(\.services) where parameters.boundedServices.contains(service.fullName) {
      for method in service.methods where !parameters.rawRequests.contains(method.fullName) {
        requests.insert(method.request.fullName)
        try add(method.request)
      }
    }
  }

  /// Whether some method takes the message as its request.
  func isRequest(_ message: Descriptor) -> Bool {
    requests.contains(message.fullName)
  }

  private mutating func add(_ message: Descriptor) throws {
    if fields[message.fullName] != nil { return }
    guard !open.contains(message.fullName) else {
      throw SchemaError("\(message.file.name): \(message.fullName) contains itself, so a request of it has no bound")
    }
    open.append(message.fullName)
    fields[message.fullName] = try message.fields.map { try bounds(of: $0) }
    open.removeLast()
  }

  private mutating func bounds(of field: FieldDescriptor) throws -> FieldBounds {
    let isElsewhere = parameters.filesBoundedElsewhere.contains(field.file.name)
    var maxCount: Int?
    if field.isRepeated {
      let stated = parameters.maxCounts[field.fullName] ?? Int(field.options.Comanda_V1_maxCount)
      guard stated > 0, !field.isMap else {
        throw SchemaError("\(field.file.name): \(field.fullName) is a list of a request without the option max_count")
      }
      maxCount = stated
    }
    let kind: FieldBounds.Kind
    switch field.type {
    case .string, .bytes:
      let limit = Int(field.options.Comanda_V1_maxLength)
      guard limit > 0 || isElsewhere else {
        throw SchemaError("\(field.file.name): \(field.fullName) is a text of a request without the option max_length")
      }
      kind = .limited(field.type == .string ? "text" : "bytes", limit > 0 ? limit : nil)
    case .message:
      guard let message = field.messageType else { throw Self.unsupported(field) }
      if message.fullName == "google.protobuf.Timestamp" {
        kind = .plain("timestamp")
      } else {
        try add(message)
        kind = .message(message)
      }
    case .enum:
      guard let type = field.enumType else { throw Self.unsupported(field) }
      kind = .enumeration(type.values.filter { $0.number != 0 }.map { ($0.number, Self.shortName(of: $0, in: type)) })
    case .fixed32, .sfixed32, .float: kind = .plain("fixed32")
    case .fixed64, .sfixed64, .double: kind = .plain("fixed64")
    case .group: throw Self.unsupported(field)
    default: kind = .plain("varint")
    }
    return FieldBounds(number: field.number, path: path(of: field), kind: kind, maxCount: maxCount)
  }

  /// Units are left out, and a path into a message that is validated by itself starts there.
  private func path(of field: FieldDescriptor) -> String {
    if !field.isRepeated, let message = field.messageType,
      parameters.filesBoundedElsewhere.contains(message.file.name),
      !parameters.filesBoundedElsewhere.contains(field.file.name)
    {
      return ""
    }
    for unit in ["_minor", "_thousandths"] where field.name.hasSuffix(unit) {
      return String(field.name.dropLast(unit.count))
    }
    return field.name
  }

  /// `PENDING` of `ORDER_STATUS_PENDING`.
  private static func shortName(of value: EnumValueDescriptor, in type: EnumDescriptor) -> String {
    let words = type.name.reduce(into: "") { words, letter in
      if letter.isUppercase, !words.isEmpty { words += "_" }
      words += letter.uppercased()
    }
    let prefix = words + "_"
    return value.name.hasPrefix(prefix) ? String(value.name.dropFirst(prefix.count)) : value.name
  }

  private static func unsupported(_ field: FieldDescriptor) -> SchemaError {
    SchemaError("\(field.file.name): \(field.fullName) is of a type that a request with bounds cannot have")
  }

  // MARK: - Sizes

  /// Key and length of a field take no more.
  private static let overhead = 10
  /// Most bytes of a character in UTF-8.
  private static let bytesPerCharacter = 4
  /// What every request may have, were its fields ever so few: it comes in one frame, and so the field that is too long
  /// can be named.
  private static let leastBytes = 16 * 1_024

  /// Most bytes of a request: all that its fields may hold, and as much again for fields of later versions; nil when a
  /// field is bounded elsewhere.
  func requestBytes(of message: Descriptor) -> Int? {
    guard isRequest(message), let bytes = bytes(of: message.fullName) else { return nil }
    return max(2 * bytes, Self.leastBytes)
  }

  private func bytes(of message: String) -> Int? {
    var sum = 0
    for field in fields[message] ?? [] {
      let content: Int
      switch field.kind {
      case .plain("timestamp"): content = 24
      case .plain, .enumeration: content = 10
      case .limited(_, nil): return nil
      case .limited(let kind, let limit?): content = kind == "text" ? limit * Self.bytesPerCharacter : limit
      case .message(let message):
        guard let nested = bytes(of: message.fullName) else { return nil }
        content = nested
      }
      sum += (content + Self.overhead) * (field.maxCount ?? 1)
    }
    return sum
  }
}
