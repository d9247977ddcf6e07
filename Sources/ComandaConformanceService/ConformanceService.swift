import ComandaProtos
import ComandaRPC

typealias CallPlan = Comanda_Conformance_V1_CallPlan
typealias CallResponse = Comanda_Conformance_V1_CallResponse

/// Does what its requests say: `comanda.conformance.v1.ConformanceService`.
///
/// For tests only: a caller decides how much a call costs, within the bounds that the schema states.
public struct ConformanceService: RPCService {
  private let handlers = HandlerLedger()

  /// A service whose calls are remembered by nobody else.
  public init() {}

  /// All methods of the schema but `UnimplementedCall`.
  public var methods: [RPCMethod] {
    typealias Method = Comanda_Conformance_V1_ConformanceService.Method
    return [
      .unary(Method.unaryCall, unaryCall),
      .clientStreaming(Method.clientStreamingCall, clientStreamingCall),
      .serverStreaming(Method.serverStreamingCall, serverStreamingCall),
      .bidirectionalStreaming(Method.bidirectionalCall, bidirectionalCall),
      .unary(Method.getHandlerEnd, getHandlerEnd),
    ]
  }

  @Sendable
  private func unaryCall(
    _ request: Comanda_Conformance_V1_UnaryCallRequest, context: ServerContext
  ) async throws -> CallResponse {
    var call = PlannedCall(context)
    try call.took(request.padding)
    let plan = request.plan
    return try await handlers.recording(plan) { try await call.onlyResponse(of: plan) }
  }

  @Sendable
  private func clientStreamingCall(
    _ requests: RequestStream<Comanda_Conformance_V1_ClientStreamingCallRequest>, context: ServerContext
  ) async throws -> CallResponse {
    var call = PlannedCall(context)
    var requests = requests.makeAsyncIterator()
    guard let first = try await requests.next() else { return try await call.onlyResponse(of: CallPlan()) }
    try call.took(first.padding)
    let plan = first.plan
    return try await handlers.recording(plan) {
      while !call.isEnded(by: plan), let request = try await requests.next() { try call.took(request.padding) }
      return try await call.onlyResponse(of: plan)
    }
  }

  @Sendable
  private func serverStreamingCall(
    _ request: Comanda_Conformance_V1_ServerStreamingCallRequest, responses: ResponseWriter<CallResponse>,
    context: ServerContext
  ) async throws {
    var call = PlannedCall(context)
    try call.took(request.padding)
    let plan = request.plan
    try await handlers.recording(plan) {
      call.sendInitialMetadata(of: plan)
      try await call.send(plan.responses, of: plan, to: responses)
      try await call.end(plan)
    }
  }

  @Sendable
  private func bidirectionalCall(
    _ requests: RequestStream<Comanda_Conformance_V1_BidirectionalCallRequest>,
    responses: ResponseWriter<CallResponse>, context: ServerContext
  ) async throws {
    var call = PlannedCall(context)
    var requests = requests.makeAsyncIterator()
    guard let first = try await requests.next() else { return }
    let plan = first.plan
    try await handlers.recording(plan) {
      call.sendInitialMetadata(of: plan)
      var request = first
      while true {
        try call.took(request.padding)
        try await call.send(request.plan.responses, of: plan, to: responses)
        guard !call.isEnded(by: plan), let next = try await requests.next() else { break }
        request = next
      }
      try await call.end(plan)
    }
  }

  @Sendable
  private func getHandlerEnd(
    _ request: Comanda_Conformance_V1_GetHandlerEndRequest, context: ServerContext
  ) async throws -> Comanda_Conformance_V1_HandlerEnd {
    let deadline = ContinuousClock.now + .seconds(2)
    while true {
      let state = handlers.state(of: request.key)
      if let state, state != .running || ContinuousClock.now > deadline { return .with { $0.state = state } }
      guard ContinuousClock.now < deadline else {
        throw RPCError(.notFound, "no call began with the key '\(request.key)'; name it in the call's plan")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
