import ComandaRPC

/// Makes serialized messages, driven by what the schema says of their fields.
struct MessageGenerator {
  var values: FieldValues
  /// How many of the single values are such as break something.
  let faultShare: Double
  /// Bytes that lists may still bring: mostly some, and now and then more than a message may have.
  private var listBytes: Int

  init(_ random: SeededRandom, known: KnownThings, faultShare: Double) {
    values = FieldValues(random: random, known: known)
    self.faultShare = faultShare
    listBytes = values.chance(0.01) ? 6 << 20 : 128 << 10
  }

  /// The bytes of a message.
  mutating func message(_ bounds: MessageBounds) -> [UInt8] {
    var bytes: [UInt8] = []
    for field in fields(bounds) { bytes += field }
    return bytes
  }

  /// The fields of a message, each with its key.
  mutating func fields(_ bounds: MessageBounds) -> [[UInt8]] {
    var fields: [[UInt8]] = []
    for field in bounds.fields {
      for _ in 0..<count(of: field, in: bounds) {
        fields.append(bytes(of: field))
        if field.maxCount != nil { listBytes -= fields.last?.count ?? 0 }
        if listBytes < 0 { break }
      }
    }
    if isFaulty() { fields.shuffle(using: &values.random) }
    return fields
  }

  private mutating func isFaulty() -> Bool {
    values.chance(faultShare)
  }

  /// How often a field comes.
  private mutating func count(of field: MessageBounds.Field, in bounds: MessageBounds) -> Int {
    if isFaulty() {
      // A list of messages as long as it may be, and one longer, is large already.
      guard let limit = field.maxCount else { return values.one(of: [0, 0, 1, 1, 2]) }
      return values.one(of: [0, 1, 2, 17, values.chance(0.2) ? limit : 3, values.chance(0.2) ? limit + 1 : 3])
    }
    guard values.chance(Self.presence(of: field, in: bounds)) else { return 0 }
    return field.maxCount == nil ? 1 : Int.random(in: 1...3, using: &values.random)
  }

  /// How often a caller who means well sends a field.
  private static func presence(of field: MessageBounds.Field, in bounds: MessageBounds) -> Double {
    switch (bounds.message, field.name) {
    case ("comanda.v1.GetOrderRequest", _): 0.5
    case ("comanda.v1.UploadRowsRequest", _), ("comanda.v1.RowChunk", _), ("comanda.v1.FinishUpload", _): 0.9
    case (_, "cost"), (_, "stop_threshold"), (_, "validate_only"), (_, "failure_policy"), (_, "unreadable"): 0.04
    case (_, "filter"), (_, "customer"), (_, "etag"), (_, "page_token"), (_, "placed_at"), (_, "statuses"): 0.3
    case (_, "reason"), (_, "note"), (_, "group"), (_, "file_sha256"), (_, "lines"), (_, "text"), (_, "delivery"): 0.3
    case ("comanda.v1.OrderFilter", _): 0.1
    default: 0.97
    }
  }

  private mutating func bytes(of field: MessageBounds.Field) -> [UInt8] {
    let (number, isFaulty) = (field.number, isFaulty())
    switch field.kind {
    case .varint:
      let value = isFaulty ? values.extremeNumber() : values.plausibleNumber(field.name)
      guard isFaulty, field.maxCount != nil, values.chance(0.5) else {
        return ProtobufField.varint(number, UInt64(bitPattern: value))
      }
      let count = values.one(of: [1, 1_000, 1_001])
      return ProtobufField.delimited(
        number, (0..<count).flatMap { _ in ProtobufField.varint(UInt64(bitPattern: value)) })
    case .fixed32:
      return ProtobufField.fixed32(number, UInt32(truncatingIfNeeded: values.random.next()))
    case .fixed64:
      return ProtobufField.fixed64(number, isFaulty ? values.extremeBits() : values.plausibleBits())
    case .enumeration(let named):
      let value = values.one(of: named.map(\.number))
      let wrong = values.one(of: [0, -1, value + 65_536, value &+ 1 << 32, value | .min, values.extremeNumber()])
      return ProtobufField.varint(number, UInt64(bitPattern: isFaulty ? wrong : value))
    case .text(let limit):
      let text =
        isFaulty
        ? values.extremeText(limit: limit ?? FieldValues.limit(of: field.name))
        : Array(values.plausibleText(field.name).utf8)
      return ProtobufField.delimited(number, text)
    case .bytes(let limit):
      let count = isFaulty ? values.one(of: [0, 1, 31, 33, limit ?? 64, (limit ?? 64) + 1]) : 32
      return ProtobufField.delimited(number, values.bytes(count))
    case .timestamp:
      return ProtobufField.delimited(number, timestamp(isFaulty: isFaulty))
    case .message(let bounds):
      let content = isFaulty && values.chance(0.2) ? broken([]) : message(bounds)
      return ProtobufField.delimited(number, content)
    }
  }

  private mutating func timestamp(isFaulty: Bool) -> [UInt8] {
    let seconds = isFaulty ? values.extremeNumber() : .random(in: 1_700_000_000..<1_790_000_000, using: &values.random)
    let nanoseconds = isFaulty ? values.extremeNumber() : .random(in: 0..<1_000_000_000, using: &values.random)
    return ProtobufField.varint(1, UInt64(bitPattern: seconds))
      + ProtobufField.varint(2, UInt64(bitPattern: nanoseconds))
  }

  // MARK: - What is no message

  /// Damages bytes in the ways in which encoders, lines and attackers do.
  mutating func broken(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    let place = Int.random(in: 0...bytes.count, using: &values.random)
    switch Int.random(in: 0..<12, using: &values.random) {
    case 0: bytes.removeLast(bytes.count - place)
    case 1:
      for index in bytes.indices where values.chance(0.02) {
        bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &values.random)
      }
    case 2: bytes.insert(contentsOf: values.bytes(8), at: place)
    case 3: bytes += bytes
    case 4: bytes += ProtobufField.group(values.one(of: [1, 2, 99]), bytes)
    case 5: bytes += ProtobufField.nest(values.one(of: [1, 2, 7, 99]), depth: values.one(of: [33, 101, 3_000]))
    case 6: bytes += (0..<values.one(of: [99, 101, 20_000])).flatMap { _ in ProtobufField.varint(99, 1) }
    case 7: bytes += (0..<values.one(of: [500, 1_001, 100_000])).flatMap { _ in ProtobufField.delimited(2, []) }
    case 8: bytes += ProtobufField.varint(99, 0).dropLast() + [UInt8](repeating: 0x80, count: 9) + [0x7F]
    case 9: bytes += [0x0A] + ProtobufField.varint(values.one(of: [.max, 1 << 31, 1 << 32, 1 << 63]))
    case 10: bytes += [0x00, 0x07, 0x0F, 0x0B, 0x0C]
    default: bytes = values.bytes(Int.random(in: 0..<300, using: &values.random))
    }
    return bytes
  }
}
