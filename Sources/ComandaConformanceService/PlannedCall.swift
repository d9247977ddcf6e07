import ComandaRPC
import Foundation

/// A call that follows its plan.
struct PlannedCall {
  private static let sizeLimit: UInt32 = 16 << 20
  private static let delayLimit: UInt32 = 60_000

  private let context: ServerContext
  private var seen = Comanda_Conformance_V1_SeenCall()
  private var hasResponded = false

  init(_ context: ServerContext) {
    self.context = context
    seen.metadata = context.metadata.fields.map { field in
      .with {
        $0.key = field.key
        $0.value = field.value
      }
    }
    if let deadline = context.deadline {
      let left = (deadline - .now) / .milliseconds(1)
      seen.remainingMs = UInt32(max(1, min(left.rounded(.up), Double(UInt32.max))))
    }
    seen.credential = context.connection.credential ?? ""
  }

  /// A request was read.
  mutating func took(_ padding: Data) throws(RPCError) {
    if let place = PaddingPattern.firstDifference(in: padding) {
      throw RPCError(
        .dataLoss,
        "the padding of request \(seen.requestCount + 1) has not \(place % 251) at byte \(place): bytes were lost, "
          + "or came in another order")
    }
    seen.requestCount += 1
    seen.paddingBytes += UInt64(padding.count)
  }

  /// Whether the plan wants no further request.
  func isEnded(by plan: CallPlan) -> Bool {
    plan.endAfterRequests > 0 && seen.requestCount >= plan.endAfterRequests
  }

  func sendInitialMetadata(of plan: CallPlan) {
    if !plan.initialMetadata.isEmpty { context.sendInitialMetadata(Metadata(plan.initialMetadata)) }
  }

  mutating func send(
    _ responses: [Comanda_Conformance_V1_PlannedResponse], of plan: CallPlan, to writer: ResponseWriter<CallResponse>
  ) async throws {
    for planned in responses { try await writer.send(response(planned, of: plan)) }
  }

  /// The answer of a call that has one response.
  mutating func onlyResponse(of plan: CallPlan) async throws -> CallResponse {
    sendInitialMetadata(of: plan)
    let response = try await response(plan.responses.first ?? .init(), of: plan)
    try await end(plan)
    return response
  }

  /// Ends as the plan says: returns for OK.
  func end(_ plan: CallPlan) async throws {
    try await wait(milliseconds: plan.status.delayMs)
    let trailers = Metadata(plan.trailers)
    guard plan.status.code != 0 else { return context.setTrailers(trailers) }
    guard let code = UInt8(exactly: plan.status.code).flatMap(StatusCode.init(rawValue:)) else {
      throw RPCError(.invalidArgument, "there is no status code \(plan.status.code); they are 0 to 16")
    }
    throw RPCError(code, plan.status.message, details: Array(plan.status.details), trailers: trailers)
  }

  private mutating func response(
    _ planned: Comanda_Conformance_V1_PlannedResponse, of plan: CallPlan
  ) async throws -> CallResponse {
    guard planned.size <= Self.sizeLimit else {
      throw RPCError(.invalidArgument, "a response has at most \(Self.sizeLimit) bytes of padding")
    }
    try await wait(milliseconds: planned.delayMs)
    var response = CallResponse()
    response.padding = PaddingPattern.bytes(Int(planned.size))
    if plan.describe, !hasResponded { response.call = seen }
    hasResponded = true
    return response
  }

  private func wait(milliseconds: UInt32) async throws {
    guard milliseconds > 0 else { return }
    guard milliseconds <= Self.delayLimit else {
      throw RPCError(.invalidArgument, "a delay has at most \(Self.delayLimit) milliseconds")
    }
    try await Task.sleep(for: .milliseconds(Int64(milliseconds)))
  }
}

extension Metadata {
  fileprivate init(_ fields: [Comanda_Conformance_V1_MetadataField]) {
    self.init(fields.map { Field(key: $0.key, value: $0.value) })
  }
}
