import NIOCore

/// How a call ended, for metrics and logs.
public struct CallOutcome: Sendable {
  /// The status that the caller got.
  public let code: StatusCode
  /// From the arrival of the call to its end.
  public let duration: TimeAmount

  /// An outcome.
  public init(code: StatusCode, duration: TimeAmount) {
    self.code = code
    self.duration = duration
  }
}

/// Code that runs around every call: authentication, limits, logging, metrics.
///
/// Two hooks rather than a chain of closures: a chain costs an allocation and a suspension point an interceptor and
/// call, and none of these uses needs to wrap the handler.
public protocol ServerInterceptor: Sendable {
  /// Does what `callStarts` would, if that is possible without waiting; returns whether it did. A call that no
  /// interceptor has to wait for is spared the suspension points.
  func callStartsAtOnce(_ context: inout ServerContext) throws -> Bool
  /// Runs before the handler, unless `callStartsAtOnce` did; may add to the context, or refuse the call by throwing an `RPCError`.
  func callStarts(_ context: inout ServerContext) async throws
  /// Runs when the call has ended, also when it was refused ahead of this interceptor.
  func callEnded(_ context: ServerContext, _ outcome: CallOutcome)
}

extension ServerInterceptor {
  /// Leaves it to `callStarts`.
  public func callStartsAtOnce(_ context: inout ServerContext) throws -> Bool { false }
  /// Does nothing.
  public func callStarts(_ context: inout ServerContext) async throws {}
  /// Does nothing.
  public func callEnded(_ context: ServerContext, _ outcome: CallOutcome) {}
}
