import NIOCore

/// The messages that arrive in a call, as a transport hands them out.
public protocol InboundMessages: AnyObject, Sendable {
  /// The next message, or nil after the peer's last one. Taking a message returns its bytes to the peer's window.
  /// - Throws: `RPCError` when the call failed; `CancellationError` when its task was cancelled.
  func next() async throws -> ByteBuffer?
  /// The same until the server drains.
  /// - Throws: ``ServerDraining`` from then on, also to a reader that waits already.
  func nextUntilDrain() async throws -> ByteBuffer?
}

extension InboundMessages {
  /// The next message: where nothing drains.
  public func nextUntilDrain() async throws -> ByteBuffer? {
    try await next()
  }
}

/// The server is about to stop, and the reader of a call's requests wanted to know. A handler turns it into a status with
/// what its caller needs to go on elsewhere; without that the call ends with UNAVAILABLE.
public struct ServerDraining: Error, Sendable {
  /// The only value.
  public init() {}
}

/// The messages that leave in a call, as a transport takes them.
public protocol OutboundMessages: AnyObject, Sendable {
  /// Queues a message; suspends while the peer has no window for what is queued already.
  func send(_ message: ByteBuffer) async throws
}

/// The requests of a streaming caller, each decoded when it is asked for. One task reads it.
public struct RequestStream<Request: RPCMessage>: AsyncSequence, Sendable {
  private let inbound: any InboundMessages
  private let endsAtDrain: Bool

  /// Requests decoded from these messages.
  public init(_ inbound: any InboundMessages) {
    self.init(inbound, endsAtDrain: false)
  }

  private init(_ inbound: any InboundMessages, endsAtDrain: Bool) {
    self.inbound = inbound
    self.endsAtDrain = endsAtDrain
  }

  /// The same requests until the server drains: reading one then throws ``ServerDraining``, at once if the caller is
  /// silent. For calls that would hold up the drain, and that their callers can resume.
  public var untilDrain: RequestStream {
    RequestStream(inbound, endsAtDrain: true)
  }

  /// Hands out one request after the other.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let inbound: any InboundMessages
    fileprivate let endsAtDrain: Bool

    /// The next request, or nil after the last.
    public mutating func next() async throws -> Request? {
      guard let bytes = endsAtDrain ? try await inbound.nextUntilDrain() : try await inbound.next() else { return nil }
      guard bytes.readableBytes > CallRoute.largestOnLoop else { return try Request(rpcBytes: bytes) }
      return try await LargeCallExecutor.run { try Request(rpcBytes: bytes) }
    }
  }

  /// Starts to read.
  public func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(inbound: inbound, endsAtDrain: endsAtDrain)
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
