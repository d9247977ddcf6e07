import NIOCore

/// The messages that arrive in a call, as a transport hands them out.
public protocol InboundMessages: AnyObject, Sendable {
  /// The next message, or nil after the peer's last one. Taking a message returns its bytes to the peer's window.
  /// - Throws: `RPCError` when the call failed; `CancellationError` when its task was cancelled.
  func next() async throws -> ByteBuffer?
}

/// The messages that leave in a call, as a transport takes them.
public protocol OutboundMessages: AnyObject, Sendable {
  /// Queues a message; suspends while the peer has no window for what is queued already.
  func send(_ message: ByteBuffer) async throws
}

/// The requests of a streaming caller, each decoded when it is asked for. One task reads it.
public struct RequestStream<Request: RPCMessage>: AsyncSequence, Sendable {
  private let inbound: any InboundMessages

  /// Requests decoded from these messages.
  public init(_ inbound: any InboundMessages) {
    self.inbound = inbound
  }

  /// Hands out one request after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let inbound: any InboundMessages

    /// The next request, or nil after the last.
    public mutating func next() async throws -> Request? {
      try await inbound.next().map(Request.init(rpcBytes:))
    }
  }

  /// Starts to read.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(inbound: inbound)
  }
}

/// Takes the responses of a streaming handler.
public struct ResponseWriter<Response: RPCMessage>: Sendable {
  private let outbound: any OutboundMessages

  /// A writer into these messages.
  public init(_ outbound: any OutboundMessages) {
    self.outbound = outbound
  }

  /// Sends a response; suspends while the peer is slower than the handler.
  public func send(_ response: Response) async throws {
    try await outbound.send(response.rpcBytes())
  }
}
