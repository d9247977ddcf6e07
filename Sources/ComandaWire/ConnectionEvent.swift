import NIOCore

/// What a received frame means to the layer above.
public enum ConnectionEvent: Equatable, Sendable {
  /// Nothing that the layer above has to know.
  case none
  /// The peer introduced itself.
  case hello(Hello)
  /// Server: a call begins.
  case opened(StreamID, Open)
  /// A message is complete. Its cost is credited when `took` is told of it.
  case message(StreamID, ByteBuffer, cost: UInt64, isLast: Bool)
  /// The caller sends no further message.
  case requestsEnded(StreamID)
  /// Client: metadata ahead of the first response.
  case metadata(StreamID, [HeaderField])
  /// Client: the whole answer of a call, with status OK.
  case response(StreamID, ByteBuffer)
  /// Client: a call's end.
  case status(StreamID, Status)
  /// The peer ended a call.
  case reset(StreamID, ResetCode)
  /// The peer broke a rule within a call, which goes on until it is finished or reset.
  case violation(StreamID, StreamViolation)
  /// More segments or calls can be sent than before.
  case creditRaised
  /// Server: a bearer token for the calls to come.
  case credential(String)
  /// Client: the server wants no further calls; the acknowledgement is on its way.
  case drain
  /// Server: no further call will be opened.
  case drainAcknowledged
  /// A PING of ours came back.
  case pong(UInt64)
  /// The peer closed the connection.
  case closed(CloseCode, message: String)
}

/// What a peer did wrong within a call.
public enum StreamViolation: Equatable, Sendable {
  /// A message had more bytes than are accepted.
  case messageTooLarge(limit: UInt64)
  /// The messages that are only partly there have more bytes than are kept for them.
  case assemblyFull(limit: UInt64)
  /// A segment came after the last one, the messages ended within one, or a RESPONSE came beside other messages.
  case outOfSequence
}
