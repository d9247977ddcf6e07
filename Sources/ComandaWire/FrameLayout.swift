/// The numbers of the frame format: `u24 length · u8 type · u8 flags · u32 stream`, then `length` bytes of payload.
enum FrameLayout {
  static let headerSize = 9
  /// Header and payload together fit one TLS record.
  static let maximumSize = 16_384
  static let maximumPayload = maximumSize - headerSize
  static let highestStream: StreamID = 0x7fff_ffff
  /// Types from here on may be ignored by a receiver that does not know them.
  static let ignorableTypes: UInt8 = 0x80
  /// The credit that a DATA frame costs: all its bytes, header included, so that empty messages cannot pile up unread.
  /// The bare end of a stream is free: it must not wait for credit.
  static func cost(ofData length: Int, _ flags: DataFlags) -> UInt64 {
    length == 0 && flags == .endStream ? 0 : UInt64(headerSize + length)
  }

  static let noDeadline: UInt32 = 0

  enum TypeCode: UInt8 {
    case hello = 1
    case open, data, response, status, metadata, reset, credit, streams, ping, pong, drain, drainAck, close, credential
  }

  enum OpenFlag {
    static let endStream: UInt8 = 1
    static let message: UInt8 = 4
    static let known = endStream | message
  }

  /// The numbered settings of a HELLO.
  enum Setting: UInt16 {
    case connectionWindow = 1
    case streamWindow, streams, messageSize
  }
}
