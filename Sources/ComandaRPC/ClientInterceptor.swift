/// A call as an interceptor on the client sees it.
public struct ClientCallContext: Sendable {
  /// The method called.
  public let method: MethodDescriptor
  /// What the caller says about the call; an interceptor may change it before the call starts.
  public var options: CallOptions

  /// The context of a call that has not started.
  public init(method: MethodDescriptor, options: CallOptions) {
    self.method = method
    self.options = options
  }
}

/// How a call ended for its caller, for metrics and logs.
public struct ClientCallOutcome: Sendable {
  /// The status.
  public let code: StatusCode
  /// From the call's start to its end, with all its attempts and the pauses between them.
  public let duration: Duration
  /// How often the call was made: 1 without a retry, 0 when an interceptor refused it.
  public let attempts: Int

  /// An outcome.
  public init(code: StatusCode, duration: Duration, attempts: Int) {
    self.code = code
    self.duration = duration
    self.attempts = attempts
  }
}

/// Code that runs around every call of a client: credentials, tracing, logging, metrics. The client's counterpart of
/// ``ServerInterceptor``.
///
/// A call is seen once, however often it is attempted. A streaming call ends when its caller has read its end, has got
/// its error, or has given it up.
public protocol ClientInterceptor: Sendable {
  /// Runs before the call; may change its options, or refuse it by throwing an `RPCError`.
  func callStarts(_ context: inout ClientCallContext) async throws
  /// Runs when the call has ended, also when an interceptor refused it.
  func callEnded(_ context: ClientCallContext, _ outcome: ClientCallOutcome)
}

extension ClientInterceptor {
  /// Does nothing.
  public func callStarts(_ context: inout ClientCallContext) async throws {}
  /// Does nothing.
  public func callEnded(_ context: ClientCallContext, _ outcome: ClientCallOutcome) {}
}
