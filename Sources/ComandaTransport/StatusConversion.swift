import ComandaRPC
import ComandaWire
import NIOCore

extension Status {
  /// How an error travels.
  init(_ error: RPCError) {
    self.init(
      code: error.code.rawValue, message: error.message, details: ByteBuffer(bytes: error.details),
      trailers: [HeaderField](error.trailers))
  }
}

extension RPCError {
  /// What a STATUS other than OK means.
  init(_ status: Status) {
    self.init(
      StatusCode(rawValue: status.code) ?? .unknown, status.message, details: Array(status.details.readableBytesView),
      trailers: Metadata(status.trailers))
  }

  /// What a RESET by the server means to its caller.
  init(_ code: ResetCode) {
    switch code {
    case .rejected:
      self.init(.unavailable, "the server did not start the call; it may be sent again", isRejected: true)
    case .cancelled: self.init(.cancelled, "the server cancelled the call")
    case .deadlineExceeded: self.init(.deadlineExceeded, "the call's time was up")
    case .messageTooLarge: self.init(.resourceExhausted, "a message was larger than the server accepts")
    case .stalled: self.init(.resourceExhausted, "the responses were not read for too long")
    default: self.init(.internal, "the server reset the call with code \(code.rawValue)")
    }
  }

  static let deadlinePassed = RPCError(
    .deadlineExceeded, "the call's time was up before it ended; it may have taken effect")

  static let connectionLost = RPCError(.cancelled, "the caller's connection was lost")
  static let callEnded = RPCError(.cancelled, "the call has ended")
  static let stalled = RPCError(.resourceExhausted, "the caller did not read the call's messages for too long")

  static func requestTooSlow(_ limit: TimeAmount) -> RPCError {
    RPCError(
      .deadlineExceeded,
      "the request was not there within \(limit.inWords); send it at once, or as a stream of messages")
  }

  /// Spread, so that callers who were refused together do not come back together.
  init(_ refusal: ConnectionMemory.Refusal) {
    switch refusal {
    case .budgetUsed:
      self.init(
        .resourceExhausted,
        "requests and unread answers of your account hold as much of the server's memory as they may; try again later",
        trailers: [Metadata.retryAfter: "\(Int.random(in: 250...1_000))"])
    case .unknown(let limit):
      self.init(
        .resourceExhausted,
        "a connection without a known credential has at most \(limit) bytes of requests and answers at once")
    }
  }
}

extension RPCError {
  /// What a violation of the caller's means for its call.
  init(_ violation: StreamViolation) {
    switch violation {
    case .messageTooLarge(let limit):
      self.init(
        .resourceExhausted, "a message has at most \(limit) bytes; send larger things as a stream of messages")
    case .assemblyFull(let limit):
      self.init(
        .resourceExhausted, "messages that are partly sent have at most \(limit) bytes on a connection, all together")
    case .outOfSequence:
      self.init(.internal, "the caller sent data after the end of its requests, or ended them within a message")
    }
  }

  static let unsendableMetadata = RPCError(
    .internal, "the server has a defect: the metadata of its answer cannot be sent")

  static func responseTooLarge(_ bytes: Int, limit: UInt64) -> RPCError {
    RPCError(.resourceExhausted, "the response has \(bytes) bytes; the caller accepts messages of up to \(limit)")
  }
}

extension Metadata {
  /// The fields of a frame.
  init(_ fields: [HeaderField]) {
    self.init(fields.map { Metadata.Field(key: $0.key, value: $0.value) })
  }
}

extension [HeaderField] {
  /// The fields for a frame.
  init(_ metadata: Metadata) {
    self = metadata.isEmpty ? [] : metadata.fields.map { HeaderField(key: $0.key, value: $0.value) }
  }
}

extension CloseCode {
  /// What the calls that were open end with: a defect is not repeated.
  var statusOfCalls: StatusCode {
    switch self {
    case .protocolError, .malformedFrame, .creditExceeded, .unsupportedVersion, .internalError: .internal
    default: .unavailable
    }
  }
}
