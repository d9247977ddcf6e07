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
  private let refusals: [String: RPCError]
  private let callsPerAccount: Int
  private let streamsPerAccount: Int
  /// What calls count on whose callers are unknown: all of them have together what one tenant may have, and an eighth of
  /// the memory.
  public let strangers = ResourceAccount(divisor: 8)
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
    self.callsPerAccount = limits.callsPerAccount
    self.streamsPerAccount = limits.streamsPerAccount
    let refusals = router.methods.compactMapValues { method in
      if case .refused(let error) = method.handler { error } else { nil as RPCError? }
    }
    self.refusals = refusals
    self.routes = router.methods.filter { refusals[$0.key] == nil }.mapValues { method in
      CallRoute(method, limits: limits.methods[method.descriptor.path] ?? CallLimits.Method(), server: server)
    }
    self.interceptors = interceptors
    self.mapping = mapping
    self.logger = logger
  }

  /// The method of a path.
  /// - Throws: `RPCError` UNIMPLEMENTED that names what there is instead, or what a method that is not offered says.
  public func route(to path: String) throws(RPCError) -> CallRoute {
    if let route = routes[path] { return route }
    throw refusals[path] ?? router.unimplemented(path)
  }

  /// Runs a call to its end: whoever may not call is told so before a request is waited for. A call that ended while it
  /// waited for its turn does not begin.
  /// - Throws: what the caller gets instead of OK.
  public func serve(_ call: any ServedCall) async throws(RPCError) {
    var context = ServerContext(call)
    let route = call.route
    var isAdmitted = false
    var account: ResourceAccount?
    do {
      if let ending = call.ending { throw ending }
      try route.enter()
      isAdmitted = true
      for index in interceptors.indices where try !interceptors[index].callStartsAtOnce(&context) {
        try await interceptors[index].callStarts(&context)
      }
      let isUnary = route.descriptor.kind == .unary
      let caller = context.identity?.account
      if let caller { call.belongs(to: caller) }
      let counted = caller ?? strangers
      try counted.enter(isUnary: isUnary, most: isUnary ? callsPerAccount : streamsPerAccount)
      account = counted
      switch route.handler {
      case .unary(let handle):
        let request = if let request = call.takeRequest() { request } else { try await call.request() }
        if route.runsBesideLoop(request) {
          let context = context
          try call.respond(await LargeCallExecutor.run { try await handle(request, context) })
        } else {
          try call.respond(await handle(request, context))
        }
      case .stream(let handle) where route.descriptor.isHeavy:
        let context = context
        try await LargeCallExecutor.run { try await handle(call, call, context) }
      case .stream(let handle):
        try await handle(call, call, context)
      case .refused(let error):
        throw error
      }
      counted.leave(isUnary: isUnary)
      route.leave()
      ended(context, call.ending?.code ?? .ok)
    } catch {
      account?.leave(isUnary: route.descriptor.kind == .unary)
      if isAdmitted { route.leave() }
      let status = status(for: error, of: context)
      ended(context, call.ending?.code ?? status.code)
      throw status
    }
  }

  private func ended(_ context: ServerContext, _ code: StatusCode) {
    if interceptors.isEmpty { return }
    let outcome = CallOutcome(code: code, duration: NIODeadline.now() - context.arrival)
    for index in interceptors.indices { interceptors[index].callEnded(context, outcome) }
  }

  private func status(for error: any Error, of context: ServerContext) -> RPCError {
    if let error = error as? RPCError { return error }
    if let mapped = mapping(error) { return mapped }
    if error is ServerDraining { return RPCError(.unavailable, "the server is about to stop; make the call again") }
    if error is CancellationError { return RPCError(.cancelled, "the call was cancelled") }
    logger.error(
      "a handler failed unexpectedly",
      metadata: ["method": "\(context.method.path)", "error-type": "\(type(of: error))", "error": "\(error)"])
    return RPCError(.internal, "the server has a defect; its operator finds this call in the log")
  }
}
