import Logging
import NIOCore

/// Runs calls: routes them, runs the interceptors and the handler, and turns what they throw into a status.
///
/// Transport-agnostic: a transport brings the context and the messages, and sends the outcome.
public struct CallDispatcher: Sendable {
  /// Turns an error of the layers below into the status that the caller gets; nil for a defect.
  public typealias ErrorMapping = @Sendable (any Error) -> RPCError?

  private let router: Router
  private let interceptors: [any ServerInterceptor]
  private let mapping: ErrorMapping
  private let logger: Logger

  /// A dispatcher.
  public init(
    router: Router,
    interceptors: [any ServerInterceptor] = [],
    logger: Logger,
    mapping: @escaping ErrorMapping = { _ in nil }
  ) {
    self.router = router
    self.interceptors = interceptors
    self.logger = logger
    self.mapping = mapping
  }

  /// The method of a path.
  /// - Throws: `RPCError` UNIMPLEMENTED.
  public func method(at path: String) throws(RPCError) -> RPCMethod {
    try router.method(at: path)
  }

  /// Runs a unary call to its end.
  public func serve(
    _ handle: RPCMethod.UnaryHandler, _ request: ByteBuffer, context: ServerContext
  ) async throws(RPCError) -> ByteBuffer {
    var context = context
    let start = ContinuousClock.now
    do {
      for interceptor in interceptors { try await interceptor.callStarts(&context) }
      let response = try await handle(request, context)
      ended(context, .ok, since: start)
      return response
    } catch {
      throw failed(context, error, since: start)
    }
  }

  /// Runs a streaming call to its end.
  public func serve(
    _ handle: RPCMethod.StreamHandler, _ inbound: any InboundMessages, _ outbound: any OutboundMessages,
    context: ServerContext
  ) async throws(RPCError) {
    var context = context
    let start = ContinuousClock.now
    do {
      for interceptor in interceptors { try await interceptor.callStarts(&context) }
      try await handle(inbound, outbound, context)
      ended(context, .ok, since: start)
    } catch {
      throw failed(context, error, since: start)
    }
  }

  private func failed(_ context: ServerContext, _ error: any Error, since start: ContinuousClock.Instant) -> RPCError {
    let status = status(for: error, of: context)
    ended(context, status.code, since: start)
    return status
  }

  private func ended(_ context: ServerContext, _ code: StatusCode, since start: ContinuousClock.Instant) {
    if interceptors.isEmpty { return }
    let outcome = CallOutcome(code: code, duration: ContinuousClock.now - start)
    for interceptor in interceptors { interceptor.callEnded(context, outcome) }
  }

  private func status(for error: any Error, of context: ServerContext) -> RPCError {
    if let error = error as? RPCError { return error }
    if let mapped = mapping(error) { return mapped }
    if error is CancellationError { return RPCError(.cancelled, "the call was cancelled") }
    logger.error(
      "a handler failed unexpectedly",
      metadata: ["method": "\(context.method.path)", "error-type": "\(type(of: error))", "error": "\(error)"])
    return RPCError(.internal, "the server has a defect; its operator finds this call in the log")
  }
}
