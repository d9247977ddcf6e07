import NIOCore

/// Frames into bytes, appended to a buffer that a tick's frames share.
public enum FrameEncoder {
  /// Appends a frame. Texts that are too long for their field are cut; lists and details that are too long are left
  /// out: the caller's own API refuses them earlier, with an error.
  public static func encode(_ frame: Frame, into buffer: inout ByteBuffer) {
    switch frame {
    case .hello(let hello): write(.hello, into: &buffer) { write(hello, into: &$0) }
    case .open(let stream, let open): write(open, stream: stream, into: &buffer)
    case .data(let stream, let bytes, let flags):
      writeHeader(.data, flags: flags.rawValue, stream: stream, length: bytes.readableBytes, into: &buffer)
      buffer.writeImmutableBuffer(bytes)
    case .response(let stream, let bytes):
      writeHeader(.response, stream: stream, length: bytes.readableBytes, into: &buffer)
      buffer.writeImmutableBuffer(bytes)
    case .status(let stream, let status): write(.status, stream: stream, into: &buffer) { write(status, into: &$0) }
    case .metadata(let stream, let fields):
      write(.metadata, stream: stream, into: &buffer) { write(fields, into: &$0) }
    case .reset(let stream, let code):
      writeHeader(.reset, stream: stream, length: 4, into: &buffer)
      buffer.writeInteger(code.rawValue)
    case .credit(let stream, let limit):
      writeHeader(.credit, stream: stream, length: 8, into: &buffer)
      buffer.writeInteger(limit)
    case .streams(let limit):
      writeHeader(.streams, length: 4, into: &buffer)
      buffer.writeInteger(limit)
    case .ping(let number):
      writeHeader(.ping, length: 8, into: &buffer)
      buffer.writeInteger(number)
    case .pong(let number):
      writeHeader(.pong, length: 8, into: &buffer)
      buffer.writeInteger(number)
    case .drain: writeHeader(.drain, length: 0, into: &buffer)
    case .drainAck: writeHeader(.drainAck, length: 0, into: &buffer)
    case .close(let code, let message):
      write(.close, into: &buffer) {
        $0.writeInteger(code.rawValue)
        writeText16(message, limit: Limits.statusMessageBytes, into: &$0)
      }
    case .credential(let token):
      write(.credential, into: &buffer) { writeText16(token, limit: Limits.credentialBytes, into: &$0) }
    case .ignored(let type):
      buffer.writeInteger(UInt32(type))
      buffer.writeInteger(UInt8(0))
      buffer.writeInteger(StreamID(0))
    }
  }

  /// The bytes that an OPEN of this method and metadata takes ahead of its message.
  static func openOverhead(_ open: Open) -> Int {
    4 + 1 + open.method.utf8.count + 1 + fieldsSize(open.metadata)
  }

  static func writeHeader(
    _ type: FrameLayout.TypeCode, flags: UInt8 = 0, stream: StreamID = 0, length: Int, into buffer: inout ByteBuffer
  ) {
    let word = UInt32(truncatingIfNeeded: length) << 8 | UInt32(type.rawValue)
    buffer.writeMultipleIntegers(word, flags, stream)
  }

  private static func write(
    _ type: FrameLayout.TypeCode, flags: UInt8 = 0, stream: StreamID = 0, into buffer: inout ByteBuffer,
    payload: (inout ByteBuffer) -> Void
  ) {
    let start = buffer.writerIndex
    writeHeader(type, flags: flags, stream: stream, length: 0, into: &buffer)
    payload(&buffer)
    let length = buffer.writerIndex - start - FrameLayout.headerSize
    buffer.setInteger(UInt32(truncatingIfNeeded: length) << 8 | UInt32(type.rawValue), at: start)
  }

  private static func write(_ open: Open, stream: StreamID, into buffer: inout ByteBuffer) {
    var flags: UInt8 = open.endStream ? FrameLayout.OpenFlag.endStream : 0
    if open.message != nil { flags |= FrameLayout.OpenFlag.message }
    write(.open, flags: flags, stream: stream, into: &buffer) { payload in
      payload.writeInteger(open.timeoutMilliseconds ?? FrameLayout.noDeadline)
      writeText8(open.method, into: &payload)
      write(open.metadata, into: &payload)
      if let message = open.message { payload.writeImmutableBuffer(message) }
    }
  }

  private static func write(_ hello: Hello, into payload: inout ByteBuffer) {
    payload.writeInteger(hello.version)
    let settings: [(FrameLayout.Setting, UInt64)] = [
      (.connectionWindow, hello.connectionWindow), (.streamWindow, hello.streamWindow),
      (.streams, UInt64(hello.streams)), (.messageSize, hello.messageSize),
    ]
    payload.writeInteger(UInt8(truncatingIfNeeded: settings.count))
    for (setting, value) in settings {
      payload.writeInteger(setting.rawValue)
      payload.writeInteger(value)
    }
    writeText8(hello.software, into: &payload)
  }

  private static func write(_ status: Status, into payload: inout ByteBuffer) {
    payload.writeInteger(status.code)
    writeText16(status.message, limit: Limits.statusMessageBytes, into: &payload)
    let hasRoom = status.details.readableBytes <= Limits.statusDetailsBytes
    payload.writeInteger(UInt16(truncatingIfNeeded: hasRoom ? status.details.readableBytes : 0))
    if hasRoom { payload.writeImmutableBuffer(status.details) }
    write(status.trailers, into: &payload)
  }

  private static func write(_ fields: [HeaderField], into payload: inout ByteBuffer) {
    guard fields.count <= Limits.metadataFields, fieldsSize(fields) <= Limits.metadataBytes else {
      payload.writeInteger(UInt8(0))
      return
    }
    payload.writeInteger(UInt8(truncatingIfNeeded: fields.count))
    for field in fields {
      writeText8(field.key, into: &payload)
      writeText16(field.value, limit: Limits.metadataBytes, into: &payload)
    }
  }

  /// The encoded size of metadata, without its count.
  static func fieldsSize(_ fields: [HeaderField]) -> Int {
    fields.reduce(0) { $0 + 3 + $1.key.utf8.count + $1.value.utf8.count }
  }

  private static func writeText8(_ text: String, into payload: inout ByteBuffer) {
    let text = text.cut(toBytes: 255)
    payload.writeInteger(UInt8(truncatingIfNeeded: text.utf8.count))
    payload.writeSubstring(text)
  }

  private static func writeText16(_ text: String, limit: Int, into payload: inout ByteBuffer) {
    let text = text.cut(toBytes: limit)
    payload.writeInteger(UInt16(truncatingIfNeeded: text.utf8.count))
    payload.writeSubstring(text)
  }
}

extension String {
  /// The longest beginning of whole characters that has at most so many bytes of UTF-8.
  func cut(toBytes limit: Int) -> Substring {
    if utf8.count <= limit { return self[...] }
    var end = utf8.index(startIndex, offsetBy: limit)
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil {
      end = utf8.index(before: end)
    }
    return self[..<end]
  }
}
