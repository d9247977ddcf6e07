import ComandaRPC
import NIOCore

/// A channel whose calls a service of this process serves, without a transport between them.
struct InProcessChannel: RPCChannel {
  private let router: Router

  init(_ service: any RPCService) {
    router = Router([service])
  }

  func unary(_ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions) async throws -> ByteBuffer {
    switch try router.method(at: method.path).handler {
    case .unary(let handle): return try await handle(request, Self.context(method, options))
    case .stream: throw RPCError(.internal, "\(method.path) is not unary")
    case .refused(let error): throw error
    }
  }

  func start(_ method: MethodDescriptor, request: ByteBuffer?, options: CallOptions) async throws -> any ClientCall {
    let handle: RPCMethod.StreamHandler
    switch try router.method(at: method.path).handler {
    case .stream(let handler): handle = handler
    case .unary: throw RPCError(.internal, "\(method.path) is unary")
    case .refused(let error): throw error
    }
    let requests = MessagePipe()
    let responses = MessagePipe()
    if let request {
      requests.send(request)
      requests.finish()
    }
    let handler = Task {
      do {
        try await handle(requests, responses, Self.context(method, options))
        responses.finish()
      } catch {
        responses.finish(throwing: error)
      }
    }
    return InProcessCall(requests: requests, responses: responses, handler: handler)
  }

  private static func context(_ method: MethodDescriptor, _ options: CallOptions) -> ServerContext {
    ServerContext(LocalCall(method, options.metadata))
  }
}

/// One call in this process.
private final class InProcessCall: ClientCall {
  private let requests: MessagePipe
  private let responses: MessagePipe
  private let handler: Task<Void, Never>

  init(requests: MessagePipe, responses: MessagePipe, handler: Task<Void, Never>) {
    self.requests = requests
    self.responses = responses
    self.handler = handler
  }

  var initialMetadata: Metadata { [:] }
  var trailers: Metadata { [:] }

  func next() async throws -> ByteBuffer? { try await responses.next() }
  func send(_ message: ByteBuffer) { requests.send(message) }
  func halfClose() { requests.finish() }
  func cancel() { handler.cancel() }
}

/// Messages on their way from one task to another.
private final class MessagePipe: InboundMessages, OutboundMessages {
  private let stream: AsyncThrowingStream<ByteBuffer, any Error>
  private let continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation

  init() {
    (stream, continuation) = AsyncThrowingStream.makeStream()
  }

  func next() async throws -> ByteBuffer? {
    var iterator = stream.makeAsyncIterator()
    return try await iterator.next()
  }

  func send(_ message: ByteBuffer) { continuation.yield(message) }
  func finish(throwing error: (any Error)? = nil) { continuation.finish(throwing: error) }
}

/// A call whose trailers nobody reads.
private final class LocalCall: RunningCall {
  let method: MethodDescriptor
  let metadata: Metadata
  let arrival = NIODeadline.now()
  let deadline: NIODeadline? = nil
  let peer = ConnectionContext(remoteAddress: "in process")

  init(_ method: MethodDescriptor, _ metadata: Metadata) {
    self.method = method
    self.metadata = metadata
  }

  var isDraining: Bool { false }
  func sendInitialMetadata(_ metadata: Metadata) {}
  func setTrailers(_ trailers: Metadata) {}
  func terminate(with error: RPCError) {}
}
