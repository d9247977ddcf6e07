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

extension NIODeadline {
  /// The same moment on the clock that handlers see.
  var continuousInstant: ContinuousClock.Instant {
    .now.advanced(by: .nanoseconds((self - NIODeadline.now()).nanoseconds))
  }
}
