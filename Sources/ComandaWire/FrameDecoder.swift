import NIOCore

/// Bytes into frames. Lengths are checked before anything waits for them; nothing read from the peer can trap.
public enum FrameDecoder {
  /// Takes the next frame off the buffer; nil while it is not there in full.
  /// - Throws: `WireError` MALFORMED_FRAME.
  public static func decode(_ buffer: inout ByteBuffer) throws(WireError) -> Frame? {
    let start = buffer.readerIndex
    guard let word = buffer.getInteger(at: start, as: UInt32.self) else { return nil }
    let length = Int(word >> 8)
    let type = UInt8(truncatingIfNeeded: word)
    guard length <= FrameLayout.maximumPayload else {
      throw .malformed("a frame's payload has at most \(FrameLayout.maximumPayload) bytes; this one says \(length)")
    }
    guard
      let flags = buffer.getInteger(at: start + 4, as: UInt8.self),
      let stream = buffer.getInteger(at: start + 5, as: UInt32.self),
      var payload = buffer.getSlice(at: start + FrameLayout.headerSize, length: length)
    else { return nil }
    buffer.moveReaderIndex(forwardBy: FrameLayout.headerSize + length)
    guard stream <= FrameLayout.highestStream else {
      throw .malformed("the highest bit of the stream id is reserved")
    }
    guard let code = FrameLayout.TypeCode(rawValue: type) else {
      guard type >= FrameLayout.ignorableTypes else { throw .malformed("there is no frame type \(type)") }
      return .ignored(type: type)
    }
    return try decode(code, flags: flags, stream: stream, payload: &payload)
  }

  private static func decode(
    _ type: FrameLayout.TypeCode, flags: UInt8, stream: StreamID, payload: inout ByteBuffer
  ) throws(WireError) -> Frame {
    switch type {
    case .open:
      try requireStream(stream, type)
      return try .open(stream, open(&payload, flags: flags))
    case .data:
      try requireStream(stream, type)
      guard flags & ~3 == 0 else { throw .malformed("DATA has the flags 1 and 2 only; these are \(flags)") }
      return .data(stream, payload, flags: DataFlags(rawValue: flags))
    default:
      guard flags == 0 else { throw .malformed("\(type) has no flags; these are \(flags)") }
    }
    let frame = try decodeUnflagged(type, stream: stream, payload: &payload)
    guard payload.readableBytes == 0 else {
      throw .malformed("\(type) ends \(payload.readableBytes) bytes before its payload does")
    }
    return frame
  }

  private static func decodeUnflagged(
    _ type: FrameLayout.TypeCode, stream: StreamID, payload: inout ByteBuffer
  ) throws(WireError) -> Frame {
    switch type {
    case .response, .status, .metadata, .reset:
      try requireStream(stream, type)
    case .credit:
      break
    default:
      guard stream == 0 else { throw .malformed("\(type) belongs to stream 0, not to \(stream)") }
    }
    switch type {
    case .hello: return try .hello(hello(&payload))
    case .response:
      let message = payload
      payload.moveReaderIndex(to: payload.writerIndex)
      return .response(stream, message)
    case .status: return try .status(stream, status(&payload))
    case .metadata: return try .metadata(stream, fields(&payload))
    case .reset: return try .reset(stream, ResetCode(rawValue: integer(&payload, "the reset code")))
    case .credit: return try .credit(stream, limit: integer(&payload, "the credit"))
    case .streams:
      let limit: UInt32 = try integer(&payload, "the stream limit")
      guard limit <= FrameLayout.highestStream else {
        throw .malformed("the highest bit of a stream limit is reserved")
      }
      return .streams(limit: limit)
    case .ping: return try .ping(integer(&payload, "the ping's number"))
    case .pong: return try .pong(integer(&payload, "the pong's number"))
    case .drain: return .drain
    case .drainAck: return .drainAck
    case .close:
      let code: UInt32 = try integer(&payload, "the close code")
      return try .close(CloseCode(rawValue: code), message: text16(&payload, "the close message"))
    case .credential:
      let token = try text16(&payload, "the token")
      guard token.utf8.count <= Limits.credentialBytes else {
        throw .malformed("a token has at most \(Limits.credentialBytes) bytes")
      }
      return .credential(token)
    case .open, .data:
      throw WireError(.internalError, "\(type) has flags", initiator: .local)
    }
  }

  private static func hello(_ payload: inout ByteBuffer) throws(WireError) -> Hello {
    var hello = Limits.beforeHello
    hello.version = try integer(&payload, "the version")
    let count: UInt8 = try integer(&payload, "the number of settings")
    for _ in 0..<count {
      let id: UInt16 = try integer(&payload, "a setting's number")
      let value: UInt64 = try integer(&payload, "a setting's value")
      switch FrameLayout.Setting(rawValue: id) {
      case .connectionWindow: hello.connectionWindow = value
      case .streamWindow: hello.streamWindow = value
      case .streams:
        guard value <= FrameLayout.highestStream else { throw .malformed("there are no more than 2^31 - 1 streams") }
        hello.streams = StreamID(truncatingIfNeeded: value)
      case .messageSize: hello.messageSize = value
      case nil: continue
      }
    }
    hello.software = try text8(&payload, "the software's name")
    return hello
  }

  private static func open(_ payload: inout ByteBuffer, flags: UInt8) throws(WireError) -> Open {
    guard flags & ~FrameLayout.OpenFlag.known == 0 else {
      throw .malformed("OPEN has the flags 1 and 4 only; these are \(flags)")
    }
    let timeout: UInt32 = try integer(&payload, "the timeout")
    var open = Open(method: try text8(&payload, "the method"))
    open.timeoutMilliseconds = timeout == FrameLayout.noDeadline ? nil : timeout
    open.metadata = try fields(&payload)
    open.endStream = flags & FrameLayout.OpenFlag.endStream != 0
    if flags & FrameLayout.OpenFlag.message != 0 {
      open.message = payload
    } else if payload.readableBytes > 0 {
      throw .malformed("OPEN ends \(payload.readableBytes) bytes before its payload does, and has no flag 4")
    }
    return open
  }

  private static func status(_ payload: inout ByteBuffer) throws(WireError) -> Status {
    let code: UInt8 = try integer(&payload, "the status code")
    let message = try text16(&payload, "the status message")
    let detailsLength: UInt16 = try integer(&payload, "the length of the details")
    guard let details = payload.readSlice(length: Int(detailsLength)) else {
      throw .malformed("the details end before their length")
    }
    return Status(code: code, message: message, details: details, trailers: try fields(&payload))
  }

  private static func fields(_ payload: inout ByteBuffer) throws(WireError) -> [HeaderField] {
    let count: UInt8 = try integer(&payload, "the number of metadata fields")
    if count == 0 { return [] }
    guard count <= Limits.metadataFields else {
      throw .malformed("a call has at most \(Limits.metadataFields) metadata fields; these are \(count)")
    }
    var fields: [HeaderField] = []
    fields.reserveCapacity(Int(count))
    let start = payload.readerIndex
    for _ in 0..<count {
      let key = try text8(&payload, "a metadata key")
      guard HeaderField.isKey(key) else {
        throw .malformed("a metadata key has 1 to 255 of the characters a-z 0-9 - _ .")
      }
      fields.append(HeaderField(key: key, value: try text16(&payload, "a metadata value")))
    }
    guard payload.readerIndex - start <= Limits.metadataBytes else {
      throw .malformed("a call's metadata has at most \(Limits.metadataBytes) bytes")
    }
    return fields
  }

  private static func requireStream(_ stream: StreamID, _ type: FrameLayout.TypeCode) throws(WireError) {
    guard stream != 0 else { throw .malformed("\(type) belongs to a call; stream 0 is the connection") }
  }

  private static func integer<Value: FixedWidthInteger>(
    _ payload: inout ByteBuffer, _ name: String
  ) throws(WireError) -> Value {
    guard let value = payload.readInteger(as: Value.self) else {
      throw .malformed("the payload ends before \(name)")
    }
    return value
  }

  private static func text8(_ payload: inout ByteBuffer, _ name: String) throws(WireError) -> String {
    let length: UInt8 = try integer(&payload, name)
    return try text(&payload, length: Int(length), name)
  }

  private static func text16(_ payload: inout ByteBuffer, _ name: String) throws(WireError) -> String {
    let length: UInt16 = try integer(&payload, name)
    return try text(&payload, length: Int(length), name)
  }

  private static func text(
    _ payload: inout ByteBuffer, length: Int, _ name: String
  ) throws(WireError) -> String {
    guard length <= payload.readableBytes else { throw .malformed("\(name) ends before its length") }
    let text = payload.withUnsafeReadableBytes { bytes in
      String(checking: UnsafeRawBufferPointer(rebasing: bytes.prefix(length)))
    }
    guard let text else { throw .malformed("\(name) is not UTF-8") }
    payload.moveReaderIndex(forwardBy: length)
    return text
  }
}

extension HeaderField {
  /// Whether a text may be a key.
  public static func isKey(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.count <= 255
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}

extension String {
  /// These bytes as text; nil when they are not UTF-8. Nearly all are ASCII, which needs no further check.
  fileprivate init?(checking bytes: UnsafeRawBufferPointer) {
    if bytes.allSatisfy({ $0 < 0x80 }) {
      self.init(decoding: bytes, as: UTF8.self)
    } else {
      self.init(validating: bytes, as: UTF8.self)
    }
  }
}
