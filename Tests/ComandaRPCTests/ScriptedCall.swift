import NIOCore
import Synchronization

@testable import ComandaRPC

/// A call without a transport: what it receives is written down beforehand, and what it sends can be read.
final class ScriptedCall: ClientCall, ServedCall {
  struct State {
    var inbound: [ByteBuffer]
    var sent: [ByteBuffer] = []
    var hasHalfClosed = false
    var isCancelled = false
    var initialMetadata: Metadata = [:]
    var trailers: Metadata = [:]
    var termination: RPCError?
  }

  let route: CallRoute
  let metadata: Metadata = ["ask": "x"]
  let arrival = NIODeadline.now()
  let deadline: NIODeadline? = nil
  let peer = ConnectionContext(remoteAddress: "here")
  private let state: Mutex<State>
  private let failure: RPCError?

  /// A call that receives these messages, and then the failure or its end.
  init(
    _ handler: RPCMethod.Handler = .unary { request, _ in request }, method: MethodDescriptor = .test(),
    limits: CallLimits.Method = CallLimits.Method(), receives inbound: [String] = [],
    thenFails failure: RPCError? = nil
  ) {
    route = CallRoute(
      RPCMethod(descriptor: method, handler: handler), limits: limits, server: RunningCalls(limit: .max))
    state = Mutex(State(inbound: inbound.map { ByteBuffer(string: $0) }))
    self.failure = failure
  }

  var now: State { state.withLock { $0 } }
  var sent: [String] { now.sent.map { String(buffer: $0) } }

  /// The context of a handler that serves this call.
  func context() -> ServerContext {
    ServerContext(self)
  }

  func next() async throws -> ByteBuffer? {
    let message = state.withLock { $0.inbound.isEmpty ? nil : $0.inbound.removeFirst() }
    if message == nil, let failure { throw failure }
    return message
  }

  /// As if each request came in several frames.
  func takeRequest() -> ByteBuffer? { nil }

  func respond(_ response: ByteBuffer) throws(RPCError) {
    guard response.readableBytes <= 100 else { throw RPCError(.resourceExhausted, "too large") }
    state.withLock { $0.sent.append(response) }
  }

  func send(_ message: ByteBuffer) async throws { state.withLock { $0.sent.append(message) } }
  func halfClose() async throws { state.withLock { $0.hasHalfClosed = true } }
  func cancel() { state.withLock { $0.isCancelled = true } }
  var ending: RPCError? { now.termination }
  var initialMetadata: Metadata { now.initialMetadata }
  var trailers: Metadata { now.trailers }

  func sendInitialMetadata(_ metadata: Metadata) { state.withLock { $0.initialMetadata = metadata } }
  func setTrailers(_ trailers: Metadata) { state.withLock { $0.trailers = trailers } }
  func terminate(with error: RPCError) { state.withLock { $0.termination = error } }
  var isDraining: Bool { true }
}

/// A channel all of whose calls are one scripted call.
struct ScriptedChannel: RPCChannel {
  let call: ScriptedCall

  func unary(_ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions) async throws -> ByteBuffer {
    try await call.send(request)
    return try await call.next() ?? ByteBuffer()
  }

  func start(_ method: MethodDescriptor, request: ByteBuffer?, options: CallOptions) async throws -> any ClientCall {
    if let request {
      try await call.send(request)
      try await call.halfClose()
    }
    return call
  }
}

/// A message that is a text of ASCII digits, and refuses others.
struct Number: RPCMessage, Equatable {
  let value: Int

  init(_ value: Int) {
    self.value = value
  }

  init(rpcBytes: ByteBuffer) throws {
    guard let value = Int(String(buffer: rpcBytes)) else {
      throw RPCError(.invalidArgument, "a number has digits only")
    }
    self.value = value
  }

  func rpcBytes() -> ByteBuffer {
    ByteBuffer(string: "\(value)")
  }
}

extension MethodDescriptor {
  static func test(_ name: String = "Test", _ kind: Kind = .unary) -> MethodDescriptor {
    MethodDescriptor(service: "test.Service", name: name, kind: kind)
  }
}

/// The error that a body throws.
func rpcError<Value>(_ body: () async throws -> Value) async -> RPCError? {
  do {
    _ = try await body()
    return nil
  } catch {
    return error as? RPCError
  }
}
