import Logging
import NIOCore

/// Runs calls: routes them, admits them, runs the interceptors and the handler, and turns what they throw into a status.
///
/// Transport-agnostic: a transport brings the context and the messages, and sends the outcome.
public final class CallDispatcher: Sendable {
  /// Turns an error of the layers below into the status that the caller gets; nil for a defect.
  public typealias ErrorMapping = @Sendable (any Error) -> RPCError?

  private let router: Router
  private let routes: [String: CallRoute]
  private let interceptors: [any ServerInterceptor]
  private let mapping: ErrorMapping
  private let logger: Logger

  /// A dispatcher.
  public init(
    router: Router,
    interceptors: [any ServerInterceptor] = [],
    limits: CallLimits = CallLimits(),
    logger: Logger,
    mapping: @escaping ErrorMapping = { _ in nil }
  ) {
    let server = RunningCalls(limit: limits.runningCalls)
    self.router = router
    self.routes = router.methods.mapValues { method in
      CallRoute(method, limits: limits.methods[method.descriptor.path] ?? CallLimits.Method(), server: server)
    }
    self.interceptors = interceptors
    self.mapping = mapping
    self.logger = logger
  }

  /// The method of a path.
  /// - Throws: `RPCError` UNIMPLEMENTED that names what there is instead.
  public func route(to path: String) throws(RPCError) -> CallRoute {
    if let route = routes[path] { return route }
    throw router.unimplemented(path)
  }

  /// Runs a unary call to its end.
  public func serve(
    _ route: CallRoute, _ handle: RPCMethod.UnaryHandler, _ request: ByteBuffer, context: ServerContext
  ) async throws(RPCError) -> ByteBuffer {
    var context = context
    var isAdmitted = false
    do {
      try route.enter()
      isAdmitted = true
      try route.check(requestBytes: request.readableBytes)
      for interceptor in interceptors where try !interceptor.callStartsAtOnce(&context) {
        try await interceptor.callStarts(&context)
      }
      let response = try await handle(request, context)
      route.leave()
      ended(context, .ok)
      return response
    } catch {
      if isAdmitted { route.leave() }
      throw failed(context, error)
    }
  }

  /// Runs a streaming call to its end.
  public func serve(
    _ route: CallRoute, _ handle: RPCMethod.StreamHandler, _ inbound: any InboundMessages,
    _ outbound: any OutboundMessages, context: ServerContext
  ) async throws(RPCError) {
    var context = context
    var isAdmitted = false
    do {
      try route.enter()
      isAdmitted = true
      for interceptor in interceptors where try !interceptor.callStartsAtOnce(&context) {
        try await interceptor.callStarts(&context)
      }
      try await handle(inbound, outbound, context)
      route.leave()
      ended(context, .ok)
    } catch {
      if isAdmitted { route.leave() }
      throw failed(context, error)
    }
  }

  private func failed(_ context: ServerContext, _ error: any Error) -> RPCError {
    let status = status(for: error, of: context)
    ended(context, status.code)
    return status
  }

  private func ended(_ context: ServerContext, _ code: StatusCode) {
    if interceptors.isEmpty { return }
    let outcome = CallOutcome(code: code, duration: NIODeadline.now() - context.arrival)
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
