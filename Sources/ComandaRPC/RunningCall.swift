import NIOCore

/// A call that a server runs, as its transport knows it: what its handler and interceptors ask and tell through their
/// ``ServerContext``, from any thread.
public protocol RunningCall: AnyObject, Sendable {
  /// The method called.
  var method: MethodDescriptor { get }
  /// The metadata that the caller sent.
  var metadata: Metadata { get }
  /// The first value of a metadata key: cheaper than making `metadata` of all fields.
  func metadata(_ key: String) -> String?
  /// When the call arrived, by the event loops' clock.
  var arrival: NIODeadline { get }
  /// When the call's time is up, by the event loops' clock; nil for never.
  var deadline: NIODeadline? { get }
  /// The connection that carries the call.
  var peer: ConnectionContext { get }
  /// Sends metadata ahead of the first response; later calls of it are ignored.
  func sendInitialMetadata(_ metadata: Metadata)
  /// Sets the metadata that the call's status will carry.
  func setTrailers(_ trailers: Metadata)
  /// Ends the call from outside its handler: the handler's task is cancelled and the caller gets this error.
  func terminate(with error: RPCError)
  /// Whether the server has begun to drain: endless streams end soon, with a status that says so.
  var isDraining: Bool { get }
}

extension RunningCall {
  /// Looks the key up in `metadata`.
  public func metadata(_ key: String) -> String? {
    metadata[key]
  }
}

/// A call as its transport gives it to the dispatcher: with its messages. Used where its handler runs.
public protocol ServedCall: RunningCall, InboundMessages, OutboundMessages {
  /// The method with its handler and its bounds.
  var route: CallRoute { get }
  /// A unary call's request, if it is there already: spares a suspension point. Taken once.
  func takeRequest() -> ByteBuffer?
  /// Sends a unary call's response and OK.
  /// - Throws: `RPCError` RESOURCE_EXHAUSTED when the caller accepts no message of that size.
  func respond(_ response: ByteBuffer) throws(RPCError)
  /// An interceptor found out whose call it is, ahead of its handler.
  func belongs(to account: ResourceAccount)
  /// What the caller was told, or did, ahead of the handler's end: its time was up, it went away.
  var ending: RPCError? { get }
}

extension ServedCall {
  /// What the schema says of the method.
  public var method: MethodDescriptor {
    route.descriptor
  }

  /// Counts on nobody.
  public func belongs(to account: ResourceAccount) {}

  /// A unary call's request that was not there yet.
  /// - Throws: `RPCError` INVALID_ARGUMENT when there is none, or more than one; what ended the call meanwhile.
  func request() async throws -> ByteBuffer {
    guard let request = try await next() else {
      throw RPCError(.invalidArgument, "\(method.path) takes one request message; none was sent")
    }
    guard try await next() == nil else {
      throw RPCError(.invalidArgument, "\(method.path) takes one request message; more were sent")
    }
    return request
  }
}
