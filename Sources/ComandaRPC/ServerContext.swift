import NIOCore

/// Who makes a call, once an interceptor found out.
public protocol CallerIdentity: AnyObject, Sendable {}

/// What a transport lets a handler and its interceptors do to a running call.
public protocol ServerCallControl: AnyObject, Sendable {
  /// Sends metadata ahead of the first response; later calls of it are ignored.
  func sendInitialMetadata(_ metadata: Metadata)
  /// Sets the metadata that the call's status will carry.
  func setTrailers(_ trailers: Metadata)
  /// Ends the call from outside its handler: the handler's task is cancelled and the caller gets this error.
  func terminate(with error: RPCError)
  /// Whether the server has begun to drain: endless streams end soon, with a status that says so.
  var isDraining: Bool { get }
}

/// What a handler knows of its call besides the request.
public struct ServerContext: Sendable {
  /// The method called.
  public let method: MethodDescriptor
  /// The metadata that the caller sent.
  public let metadata: Metadata
  /// When the call arrived, by the event loops' clock.
  public let arrival: NIODeadline
  /// The connection that carries the call.
  public let connection: ConnectionContext
  /// Who calls; set by the interceptor that authenticates.
  public var identity: (any CallerIdentity)?

  private let timeIsUpAt: NIODeadline?
  private let call: any ServerCallControl

  /// A context; transports make it.
  public init(
    method: MethodDescriptor,
    metadata: Metadata,
    deadline: NIODeadline?,
    arrival: NIODeadline = .now(),
    connection: ConnectionContext,
    call: any ServerCallControl
  ) {
    self.method = method
    self.metadata = metadata
    self.timeIsUpAt = deadline
    self.arrival = arrival
    self.connection = connection
    self.call = call
  }

  /// When the call's time is up; its task is cancelled then.
  public var deadline: ContinuousClock.Instant? {
    timeIsUpAt.map { .now.advanced(by: .nanoseconds(($0 - .now()).nanoseconds)) }
  }

  /// Tells this call from every other that runs.
  public var id: ObjectIdentifier {
    ObjectIdentifier(call)
  }

  /// Sends metadata ahead of the first response.
  public func sendInitialMetadata(_ metadata: Metadata) {
    call.sendInitialMetadata(metadata)
  }

  /// Sets the metadata that the call's status will carry.
  public func setTrailers(_ trailers: Metadata) {
    call.setTrailers(trailers)
  }

  /// Ends the call from outside its handler, for instance when its token was revoked.
  public func terminate(with error: RPCError) {
    call.terminate(with: error)
  }

  /// Whether the server has begun to drain.
  public var isDraining: Bool {
    call.isDraining
  }
}
