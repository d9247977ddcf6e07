/// A running call whose caller streams requests and awaits one response.
public struct ClientStreamingCall<Request: RPCMessage, Response: RPCMessage>: Sendable {
  private let call: any ClientCall
  private let method: MethodDescriptor

  init(_ call: any ClientCall, method: MethodDescriptor) {
    self.call = call
    self.method = method
  }

  /// Sends a request; suspends while the server is slower than the caller.
  /// - Throws: `RPCError` when the server ended the call already.
  public func send(_ request: Request) async throws {
    try await call.send(request.rpcBytes())
  }

  /// Ends the requests and awaits the response.
  public func finish() async throws -> Response {
    try await call.halfClose()
    return try await response()
  }

  /// Awaits the response without ending the requests: for servers that answer early.
  public func response() async throws -> Response {
    guard let bytes = try await call.next() else { throw RPCError.noResponse(to: method) }
    let response = try Response(rpcBytes: bytes)
    guard try await call.next() == nil else {
      call.cancel()
      throw RPCError(.internal, "\(method.path) answered with more than one message")
    }
    return response
  }

  /// Gives the call up.
  public func cancel() {
    call.cancel()
  }
}

/// The responses of a call, in the order in which the server sent them. One task reads it; leaving it before its end
/// and releasing it cancels the call.
public struct ResponseStream<Response: RPCMessage>: AsyncSequence, Sendable {
  private let call: any ClientCall

  init(_ call: any ClientCall) {
    self.call = call
  }

  /// Hands out one response after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let call: any ClientCall

    /// The next response, or nil when the call ended with OK.
    public mutating func next() async throws -> Response? {
      try await call.next().map(Response.init(rpcBytes:))
    }
  }

  /// Starts to read.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(call: call)
  }

  /// The metadata that the server sent ahead of its first response.
  public var initialMetadata: Metadata {
    get async throws { try await call.initialMetadata }
  }

  /// Gives the call up.
  public func cancel() {
    call.cancel()
  }
}

/// A running call in which both sides stream.
public struct BidirectionalCall<Request: RPCMessage, Response: RPCMessage>: Sendable {
  private let call: any ClientCall
  /// The responses.
  public let responses: ResponseStream<Response>

  init(_ call: any ClientCall) {
    self.call = call
    self.responses = ResponseStream(call)
  }

  /// Sends a request; suspends while the server is slower than the caller.
  public func send(_ request: Request) async throws {
    try await call.send(request.rpcBytes())
  }

  /// Says that no further request follows.
  public func finishRequests() async throws {
    try await call.halfClose()
  }

  /// Gives the call up.
  public func cancel() {
    call.cancel()
  }
}

/// The typed calls that generated clients are made of.
extension RPCChannel {
  /// Makes a unary call.
  public func unary<Request: RPCMessage, Response: RPCMessage>(
    _ method: MethodDescriptor,
    _ request: Request,
    options: CallOptions
  ) async throws -> Response {
    try await Response(rpcBytes: unary(method, request.rpcBytes(), options: options))
  }

  /// Starts a call that streams requests.
  public func clientStreaming<Request: RPCMessage, Response: RPCMessage>(
    _ method: MethodDescriptor,
    options: CallOptions
  ) async throws -> ClientStreamingCall<Request, Response> {
    try await ClientStreamingCall(start(method, request: nil, options: options), method: method)
  }

  /// Starts a call that streams responses.
  public func serverStreaming<Request: RPCMessage, Response: RPCMessage>(
    _ method: MethodDescriptor,
    _ request: Request,
    options: CallOptions
  ) async throws -> ResponseStream<Response> {
    try await ResponseStream(start(method, request: request.rpcBytes(), options: options))
  }

  /// Starts a call in which both sides stream.
  public func bidirectionalStreaming<Request: RPCMessage, Response: RPCMessage>(
    _ method: MethodDescriptor,
    options: CallOptions
  ) async throws -> BidirectionalCall<Request, Response> {
    try await BidirectionalCall(start(method, request: nil, options: options))
  }
}

extension RPCError {
  static func noResponse(to method: MethodDescriptor) -> RPCError {
    RPCError(.internal, "\(method.path) ended with OK and without the response that it owes")
  }
}
