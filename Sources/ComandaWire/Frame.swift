import NIOCore

/// The number of a call on its connection. Callers count 1, 2, 3, …; 0 stands for the connection itself.
public typealias StreamID = UInt32

/// One frame of the wire protocol, decoded. `proto/WIRE.md` specifies each byte by byte.
public enum Frame: Equatable, Sendable {
  /// The first frame of each side: version, limits, windows, software.
  case hello(Hello)
  /// A caller opens a call, often with its whole request.
  case open(StreamID, Open)
  /// A segment of a message; flow-controlled.
  case data(StreamID, ByteBuffer, flags: DataFlags)
  /// The only message of a call's answer, with status OK; not flow-controlled.
  case response(StreamID, ByteBuffer)
  /// The end of a call, as the server tells it.
  case status(StreamID, Status)
  /// Metadata ahead of a call's first response.
  case metadata(StreamID, [HeaderField])
  /// The sudden end of a call, from either side.
  case reset(StreamID, ResetCode)
  /// How many bytes of DATA frames the receiver may have sent so far: on a stream, or (stream 0) on the connection.
  case credit(StreamID, limit: UInt64)
  /// The highest stream id that the caller may open so far.
  case streams(limit: StreamID)
  /// Asks for a PONG with the same number.
  case ping(UInt64)
  /// Answers a PING.
  case pong(UInt64)
  /// The sender wants the connection to end: no further call, please.
  case drain
  /// The caller opens no further call; it comes after its last OPEN.
  case drainAck
  /// The last frame of a connection: why it is closed.
  case close(CloseCode, message: String)
  /// A bearer token for all further calls of the connection.
  case credential(String)
  /// A frame of a type that this version does not know and may ignore.
  case ignored(type: UInt8)
}

/// The flags of a DATA frame.
public struct DataFlags: OptionSet, Sendable, Hashable {
  /// The bits as they travel.
  public let rawValue: UInt8

  /// Flags of these bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The sender sends no further message.
  public static let endStream = DataFlags(rawValue: 1)
  /// The segment is the last one of its message.
  public static let endMessage = DataFlags(rawValue: 2)
}

/// A key and a value of a call's metadata.
public struct HeaderField: Equatable, Sendable {
  /// Lower-case ASCII: `a-z 0-9 - _ .`
  public var key: String
  /// UTF-8.
  public var value: String

  /// A field.
  public init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// What each side says of itself first.
public struct Hello: Equatable, Sendable {
  /// The version of the protocol; 1.
  public var version: UInt16
  /// Bytes that the receiver may send on the connection before it needs CREDIT.
  public var connectionWindow: UInt64
  /// Bytes that the receiver may send on each stream before it needs CREDIT.
  public var streamWindow: UInt64
  /// The highest stream id that the receiver may open before it needs STREAMS.
  public var streams: StreamID
  /// The largest message, in bytes, that the sender accepts.
  public var messageSize: UInt64
  /// A name and version for the other side's logs, `comanda/0.1`.
  public var software: String

  /// A HELLO.
  public init(
    version: UInt16 = 1,
    connectionWindow: UInt64,
    streamWindow: UInt64,
    streams: StreamID,
    messageSize: UInt64,
    software: String
  ) {
    self.version = version
    self.connectionWindow = connectionWindow
    self.streamWindow = streamWindow
    self.streams = streams
    self.messageSize = messageSize
    self.software = software
  }
}

/// How a caller opens a call.
public struct Open: Equatable, Sendable {
  /// `package.Service/Method`.
  public var method: String
  /// The time that the call may take from now on, in milliseconds; nil for no deadline.
  public var timeoutMilliseconds: UInt32?
  /// The caller's metadata.
  public var metadata: [HeaderField]
  /// The first request message, when it fits into the frame; not flow-controlled.
  public var message: ByteBuffer?
  /// Whether the caller sends no further message.
  public var endStream: Bool

  /// An OPEN.
  public init(
    method: String,
    timeoutMilliseconds: UInt32? = nil,
    metadata: [HeaderField] = [],
    message: ByteBuffer? = nil,
    endStream: Bool = false
  ) {
    self.method = method
    self.timeoutMilliseconds = timeoutMilliseconds
    self.metadata = metadata
    self.message = message
    self.endStream = endStream
  }
}

/// How a server ends a call.
public struct Status: Equatable, Sendable {
  /// One of gRPC's seventeen status codes, 0 for OK.
  public var code: UInt8
  /// What went wrong, for a developer.
  public var message: String
  /// A serialized `comanda.v1.ErrorDetails`, or nothing.
  public var details: ByteBuffer
  /// The call's trailing metadata.
  public var trailers: [HeaderField]

  /// A status.
  public init(code: UInt8, message: String = "", details: ByteBuffer = ByteBuffer(), trailers: [HeaderField] = []) {
    self.code = code
    self.message = message
    self.details = details
    self.trailers = trailers
  }
}

/// Why a call was reset.
public struct ResetCode: Equatable, Hashable, Sendable {
  /// The number that travels.
  public let rawValue: UInt32

  /// A code of this number, known or not.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// The sender lost interest; the call may have taken effect.
  public static let cancelled = ResetCode(rawValue: 0)
  /// The server did not start the call: any call may be sent again.
  public static let rejected = ResetCode(rawValue: 1)
  /// The call's time was up.
  public static let deadlineExceeded = ResetCode(rawValue: 2)
  /// The sender has a defect.
  public static let internalError = ResetCode(rawValue: 3)
  /// The receiver broke a rule of this stream.
  public static let protocolError = ResetCode(rawValue: 4)
  /// A message was larger than the sender of the reset accepts.
  public static let messageTooLarge = ResetCode(rawValue: 5)
  /// The receiver of the reset gave no credit for too long.
  public static let stalled = ResetCode(rawValue: 6)
}

/// Why a connection is closed.
public struct CloseCode: Equatable, Hashable, Sendable, CustomStringConvertible {
  /// The number that travels.
  public let rawValue: UInt32

  /// A code of this number, known or not.
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Nothing is wrong: the connection is drained, idle or old.
  public static let done = CloseCode(rawValue: 0)
  /// A frame came that its state does not allow.
  public static let protocolError = CloseCode(rawValue: 1)
  /// A frame's bytes are not of the form that its type demands.
  public static let malformedFrame = CloseCode(rawValue: 2)
  /// More bytes or calls came than there was credit for.
  public static let creditExceeded = CloseCode(rawValue: 3)
  /// The versions have nothing in common.
  public static let unsupportedVersion = CloseCode(rawValue: 4)
  /// The peer makes more work than it may.
  public static let excessiveLoad = CloseCode(rawValue: 5)
  /// The peer was silent for too long.
  public static let timeout = CloseCode(rawValue: 6)
  /// The sender has a defect.
  public static let internalError = CloseCode(rawValue: 7)

  /// The code's name as the specification spells it.
  public var description: String {
    switch self {
    case .done: "DONE"
    case .protocolError: "PROTOCOL_ERROR"
    case .malformedFrame: "MALFORMED_FRAME"
    case .creditExceeded: "CREDIT_EXCEEDED"
    case .unsupportedVersion: "UNSUPPORTED_VERSION"
    case .excessiveLoad: "EXCESSIVE_LOAD"
    case .timeout: "TIMEOUT"
    case .internalError: "INTERNAL_ERROR"
    default: "CODE_\(rawValue)"
    }
  }
}
