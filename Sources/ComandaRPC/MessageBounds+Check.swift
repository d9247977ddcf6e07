extension MessageBounds {
  /// How many violations of one request are reported; the rest shows once these are mended.
  public static let reportedViolations = 20
  /// Fields that a request may have beyond those of the schema, for clients of a later version.
  static let unknownFields = 100

  /// Reads a serialized message, in one pass and without keeping anything of it.
  /// - Throws: ``RefusedRequest`` for what breaks bounds, `RPCError` INVALID_ARGUMENT for bytes that are no message.
  public func check(_ bytes: UnsafeRawBufferPointer) throws {
    var check = MessageCheck(message: message)
    try check.read(bytes, self, path: "")
    if !check.violations.isEmpty { throw RefusedRequest(check.violations) }
  }
}

/// One reading of one request.
private struct MessageCheck {
  let message: String
  var violations: [RequestViolation] = []
  private var unknownFields = 0
  private var isStopped = false

  init(message: String) {
    self.message = message
  }

  /// Reads a message; the bounds nest only as deep as the schema does, and so does this.
  mutating func read(_ bytes: UnsafeRawBufferPointer, _ bounds: MessageBounds, path: String) throws(RPCError) {
    var rest = ProtobufReader(bytes)
    // Which single fields have come, and how often the repeated ones: a few numbers on the stack.
    var counts = FieldCounts(bounds.fields.count)
    while !isStopped, let key = try next(&rest) {
      guard let index = bounds.fields.firstIndex(where: { $0.number == key.number }),
        bounds.fields[index].accepts(key.type)
      else {
        try skipUnknown(&rest, key)
        continue
      }
      let field = bounds.fields[index]
      let count = counts.increment(index)
      switch (field.maxCount, key.type) {
      case (let limit?, .delimited) where field.kind.isNumber:
        try readPacked(&rest, field, limit: limit, &counts, index, path)
      case (let limit?, _) where count > limit:
        stop(path + field.name, limit)
      case (nil, .delimited) where count > 1:
        report(path + field.name, .repeated)
        try skip(&rest, key.type)
      default:
        let place = field.maxCount == nil ? "" : "[\(count - 1)]"  // bounded: count is at least 1
        try read(&rest, field, key.type, path: field.name.isEmpty ? path : path + field.name + place)
      }
    }
  }

  /// A list is too long: nothing more is read, since reading millions of entries is what the bound is to prevent.
  private mutating func stop(_ field: String, _ limit: Int) {
    isStopped = true
    report(field, .tooMany(limit: limit))
  }

  private mutating func read(
    _ rest: inout ProtobufReader, _ field: MessageBounds.Field, _ type: ProtobufReader.WireType, path: String
  ) throws(RPCError) {
    switch field.kind {
    case .varint, .fixed32, .fixed64: try skip(&rest, type)
    case .enumeration(let known): checkValue(try varint(&rest), known, path)
    case .text(let limit): checkText(try delimited(&rest), limit, path)
    case .bytes(let limit):
      let count = try delimited(&rest).count
      if let limit, count > limit { report(path, .tooManyBytes(count: count, limit: limit)) }
    case .timestamp: try checkTimestamp(try delimited(&rest), path)
    case .message(let bounds):
      try read(try delimited(&rest), bounds, path: path.isEmpty || field.name.isEmpty ? path : path + ".")
    }
  }

  /// Entries of a list of numbers, one behind the other in one field.
  private mutating func readPacked(
    _ rest: inout ProtobufReader, _ field: MessageBounds.Field, limit: Int, _ counts: inout FieldCounts, _ index: Int,
    _ path: String
  ) throws(RPCError) {
    counts.decrement(index)
    var packed = ProtobufReader(try delimited(&rest))
    while !isStopped, !packed.isAtEnd {
      let count = counts.increment(index)
      switch field.kind {
      case .fixed32: try skip(&packed, .fixed32)
      case .fixed64: try skip(&packed, .fixed64)
      case .enumeration(let known):
        let value = try varint(&packed)
        if count <= limit { checkValue(value, known, "\(path)\(field.name)[\(count - 1)]") }  // bounded: at least 1
      default: _ = try varint(&packed)
      }
      if count > limit { stop(path + field.name, limit) }
    }
  }

  // MARK: - Values

  private mutating func checkValue(_ bits: UInt64, _ known: [(number: Int64, name: String)], _ path: String) {
    let value = Int64(bitPattern: bits)
    if value == 0 || known.contains(where: { $0.number == value }) { return }
    report(path, .unknownValue(value, known: known.map(\.name)))
  }

  private mutating func checkText(_ bytes: UnsafeRawBufferPointer, _ limit: Int?, _ path: String) {
    guard let limit else { return }
    var length = bytes.count
    if !bytes.allSatisfy({ $0 < 0x80 }) {
      // A scalar takes up to four bytes: what cannot be short enough need not be read as text.
      guard length / 4 <= limit, let text = String(validating: bytes, as: UTF8.self) else {
        let isTooLong = length / 4 > limit
        return report(path, isTooLong ? .tooLong(length: length / 4, limit: limit) : .notUTF8)
      }
      length = text.unicodeScalars.count
    }
    if length > limit { return report(path, .tooLong(length: length, limit: limit)) }
    // Control characters are single bytes in UTF-8, and no other character's encoding holds such bytes.
    let control = bytes.first { $0 < 0x20 ? $0 != 0x09 && $0 != 0x0A && $0 != 0x0D : $0 == 0x7F }
    if let control { report(path, .controlCharacter(UInt32(control))) }
  }

  /// 9999-12-31T23:59:59Z, in seconds.
  private static let lastSecond: Int64 = 253_402_300_799

  private mutating func checkTimestamp(_ bytes: UnsafeRawBufferPointer, _ path: String) throws(RPCError) {
    var (seconds, nanoseconds): (Int64, Int64) = (0, 0)
    var rest = ProtobufReader(bytes)
    while let key = try next(&rest) {
      switch (key.number, key.type) {
      case (1, .varint): seconds = Int64(bitPattern: try varint(&rest))
      case (2, .varint): nanoseconds = Int64(bitPattern: try varint(&rest))
      default: try skipUnknown(&rest, key)
      }
    }
    if !(0...Self.lastSecond).contains(seconds) || !(0...999_999_999).contains(nanoseconds) {
      report(path, .momentOutOfRange(seconds: seconds, nanoseconds: nanoseconds))
    }
  }

  // MARK: - Bytes

  private mutating func report(_ field: String, _ problem: RequestViolation.Problem) {
    if violations.count < MessageBounds.reportedViolations {
      violations.append(RequestViolation(field: field, problem: problem))
    }
  }

  private mutating func skipUnknown(_ rest: inout ProtobufReader, _ key: ProtobufReader.Key) throws(RPCError) {
    unknownFields += 1  // bounded: refused beyond a hundred
    guard unknownFields <= MessageBounds.unknownFields else {
      throw malformed("more than \(MessageBounds.unknownFields) fields are not of this schema")
    }
    try skip(&rest, key.type)
  }

  private func next(_ rest: inout ProtobufReader) throws(RPCError) -> ProtobufReader.Key? {
    if rest.isAtEnd { return nil }
    guard let key = rest.key() else { throw malformedField }
    return key
  }

  private func varint(_ rest: inout ProtobufReader) throws(RPCError) -> UInt64 {
    guard let value = rest.varint() else { throw malformedField }
    return value
  }

  private func delimited(_ rest: inout ProtobufReader) throws(RPCError) -> UnsafeRawBufferPointer {
    guard let bytes = rest.delimited() else { throw malformedField }
    return bytes
  }

  private func skip(_ rest: inout ProtobufReader, _ type: ProtobufReader.WireType) throws(RPCError) {
    guard rest.skip(type) else { throw malformedField }
  }

  private var malformedField: RPCError {
    malformed("they end in the middle of a field, or a field is malformed")
  }

  private func malformed(_ explanation: String) -> RPCError {
    RPCError(.invalidArgument, "the bytes are no valid \(message): \(explanation); encode it by the schema")
  }
}

extension MessageBounds.Field {
  /// Whether a value of this wire type is one of the field; otherwise it counts as unknown, as Protobuf has it.
  fileprivate func accepts(_ type: ProtobufReader.WireType) -> Bool {
    switch (kind, type) {
    case (.varint, .varint), (.enumeration, .varint), (.fixed32, .fixed32), (.fixed64, .fixed64): true
    case (.text, .delimited), (.bytes, .delimited), (.timestamp, .delimited), (.message, .delimited): true
    case (_, .delimited): maxCount != nil && kind.isNumber
    default: false
    }
  }
}

extension MessageBounds.Kind {
  fileprivate var isNumber: Bool {
    switch self {
    case .varint, .fixed32, .fixed64, .enumeration: true
    case .text, .bytes, .timestamp, .message: false
    }
  }
}

/// How often each field of a message has come.
private struct FieldCounts {
  private var counts: [Int]

  init(_ fields: Int) {
    counts = Array(repeating: 0, count: fields)
  }

  subscript(index: Int) -> Int { counts[index] }

  mutating func increment(_ index: Int) -> Int {
    counts[index] += 1  // bounded: by the message's bytes
    return counts[index]
  }

  mutating func decrement(_ index: Int) {
    counts[index] -= 1  // bounded: it was incremented before
  }
}
