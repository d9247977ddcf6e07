import NIOCore

/// Who makes a call, once an interceptor found out.
public protocol CallerIdentity: AnyObject, Sendable {
  /// What the caller's calls and memory are counted on, together with those of all others of the same tenant; nil counts
  /// them with the callers who are unknown.
  var account: ResourceAccount? { get }
}

extension CallerIdentity {
  /// None.
  public var account: ResourceAccount? { nil }
}

/// What a handler knows of its call besides the request.
///
/// Two references, since it is copied many times on its way: the rest is the call's own.
public struct ServerContext: Sendable {
  private let call: any RunningCall
  /// Who calls; set by the interceptor that authenticates.
  public var identity: (any CallerIdentity)?

  /// The context of a call; transports make it.
  public init(_ call: any RunningCall) {
    self.call = call
  }

  /// The method called.
  public var method: MethodDescriptor {
    call.method
  }

  /// The metadata that the caller sent.
  public var metadata: Metadata {
    call.metadata
  }

  /// The first value of a metadata key: cheaper than making `metadata` of all fields.
  public func metadata(_ key: String) -> String? {
    call.metadata(key)
  }

  /// When the call arrived, by the event loops' clock.
  public var arrival: NIODeadline {
    call.arrival
  }

  /// The connection that carries the call.
  public var connection: ConnectionContext {
    call.peer
  }

  /// When the call's time is up; its task is cancelled then.
  public var deadline: ContinuousClock.Instant? {
    call.deadline.map { .now.advanced(by: .nanoseconds(($0 - .now()).nanoseconds)) }
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
