/// A call that ended with a status other than OK: what a handler throws and what a caller catches.
///
/// `message` and `details` reach the caller, so they carry no SQL, no stack trace, no token and nobody's personal
/// data.
public struct RPCError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The status.
  public var code: StatusCode
  /// One or two English sentences for a developer: what was wrong, and what would be right.
  public var message: String
  /// A serialized `comanda.v1.ErrorDetails`, empty when there are none.
  public var details: [UInt8]
  /// Metadata sent with the status.
  public var trailers: Metadata
  /// True when the server guarantees that it did not start the call, so that any call may be sent again.
  public var isRejected: Bool

  /// An error with a status and a message.
  public init(
    _ code: StatusCode,
    _ message: String,
    details: [UInt8] = [],
    trailers: Metadata = [:],
    isRejected: Bool = false
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.trailers = trailers
    self.isRejected = isRejected
  }

  /// `NOT_FOUND: there is no order …`
  public var description: String {
    "\(code): \(message)"
  }
}
