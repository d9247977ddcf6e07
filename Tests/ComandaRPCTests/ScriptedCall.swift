import ComandaRPC
import NIOCore
import Synchronization

/// A call without a transport: what it receives is written down beforehand, and what it sends can be read.
final class ScriptedCall: ClientCall, ServerCallControl {
  struct State {
    var inbound: [ByteBuffer]
    var sent: [ByteBuffer] = []
    var hasHalfClosed = false
    var isCancelled = false
    var initialMetadata: Metadata = [:]
    var trailers: Metadata = [:]
    var termination: RPCError?
  }

  private let state: Mutex<State>
  private let failure: RPCError?

  /// A call that receives these messages, and then the failure or its end.
  init(receives inbound: [String] = [], thenFails failure: RPCError? = nil) {
    state = Mutex(State(inbound: inbound.map { ByteBuffer(string: $0) }))
    self.failure = failure
  }

  var now: State { state.withLock { $0 } }
  var sent: [String] { now.sent.map { String(buffer: $0) } }

  /// The context of a handler that serves this call.
  func context(_ method: MethodDescriptor = .test()) -> ServerContext {
    ServerContext(
      method: method, metadata: ["ask": "x"], deadline: nil, connection: ConnectionContext(remoteAddress: "here"),
      call: self)
  }

  func next() async throws -> ByteBuffer? {
    let message = state.withLock { $0.inbound.isEmpty ? nil : $0.inbound.removeFirst() }
    if message == nil, let failure { throw failure }
    return message
  }

  func send(_ message: ByteBuffer) async throws { state.withLock { $0.sent.append(message) } }
  func halfClose() async throws { state.withLock { $0.hasHalfClosed = true } }
  func cancel() { state.withLock { $0.isCancelled = true } }
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
