import ComandaRPC
import ComandaTLS
import ComandaWire
import NIOCore
import NIOPosix
import Synchronization

/// Calls to one server, over a connection that is made when it is needed and made anew when it was lost.
///
/// A call that fails because the connection went away fails with UNAVAILABLE; whether to repeat it is its caller's to
/// say. The next call connects again.
public final class ClientChannel: RPCChannel {
  /// Where the server is.
  public struct Target: Sendable, Hashable {
    /// A host name or an address.
    public let host: String
    /// The TCP port.
    public let port: Int

    /// A target.
    public init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  private let target: Target
  private let tls: TLSContext
  private let serverName: String
  private let credential: String?
  private let settings: ClientSettings
  private let executor: LoopExecutor
  private let state = Mutex(State())

  private struct State {
    var connection: ClientConnection?
    var isClosed = false
  }

  /// A client of a server; it connects with the first call.
  /// - Parameters:
  ///   - serverName: the name to find in the server's certificate; the host when nil.
  ///   - credential: the bearer token, sent once a connection.
  /// - Throws: `TLSError` when the certificates given cannot be used.
  public init(
    target: Target, tls: TLSConfiguration, serverName: String? = nil, credential: String? = nil,
    settings: ClientSettings = ClientSettings()
  ) throws {
    self.target = target
    self.tls = try TLSContext(configuration: tls)
    self.serverName = serverName ?? target.host
    self.credential = credential
    self.settings = settings
    // The process' own loops, which are never shut down: calls outlive their client, and a call that asks a loop that
    // is gone would wait for ever.
    self.executor = LoopExecutor(eventLoop: MultiThreadedEventLoopGroup.singleton.next())
  }

  /// Makes a unary call.
  public func unary(
    _ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions
  ) async throws -> ByteBuffer {
    let request = try callRequest(method, request, options)
    let connection = try connection()
    let started = StartedStream()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let stream = ClientStream(request, connection: connection, awaiting: .response(continuation))
        connection.submit(stream)
        started.set(stream)
      }
    } onCancel: {
      started.cancel()
    }
  }

  /// Starts a call in which at least one side streams.
  public func start(
    _ method: MethodDescriptor, request: ByteBuffer?, options: CallOptions
  ) async throws -> any ClientCall {
    let request = try callRequest(method, request, options)
    let connection = try connection()
    let started = StartedStream()
    let stream = try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let stream = ClientStream(request, connection: connection, awaiting: .opening(continuation))
        connection.submit(stream)
        started.set(stream)
      }
    } onCancel: {
      started.cancel()
    }
    return ClientCallHandle(stream)
  }

  /// Closes the connection; calls that are open end with CANCELLED.
  public func close() async throws {
    let connection = state.withLock { state in
      state.isClosed = true
      defer { state.connection = nil }
      return state.connection
    }
    if let connection { try await connection.eventLoop.flatSubmit { connection.close(.clientClosed) }.get() }
  }

  private func callRequest(
    _ method: MethodDescriptor, _ message: ByteBuffer?, _ options: CallOptions
  ) throws(RPCError) -> ClientStream.Request {
    var metadata = [HeaderField](options.metadata)
    if let credential = options.credential {
      metadata.append(HeaderField(key: "authorization", value: "Bearer \(credential)"))
    }
    if let problem = metadata.problem { throw RPCError(.invalidArgument, problem, isRejected: true) }
    let timeout = options.timeout ?? method.defaultDeadline
    return ClientStream.Request(
      method: method, deadline: timeout.map { .now() + TimeAmount($0) }, metadata: metadata, message: message)
  }

  /// The connection in use, or a new one; calls that are made meanwhile wait in it.
  private func connection() throws(RPCError) -> ClientConnection {
    try state.withLock { state throws(RPCError) in
      if state.isClosed { throw RPCError(.cancelled, "the client is closed", isRejected: true) }
      if let connection = state.connection, connection.isUsable { return connection }
      let connection = ClientConnection(executor: executor, settings: settings, credential: credential)
      state.connection = connection
      executor.eventLoop.execute { [target, tls, serverName] in
        connection.connect(to: target, tls: tls, serverName: serverName)
      }
      return connection
    }
  }
}

extension RPCError {
  fileprivate static let clientClosed = RPCError(.cancelled, "the client was closed")
}

/// Lets a cancellation find the call that its task started, whichever of the two comes first.
private final class StartedStream: Sendable {
  private enum State {
    case none, started(ClientStream), cancelled
  }

  private let state = Mutex(State.none)

  func set(_ stream: ClientStream) {
    let isCancelled = state.withLock { state in
      if case .cancelled = state { return true }
      state = .started(stream)
      return false
    }
    if isCancelled { stream.eventLoop.execute { stream.cancel() } }
  }

  func cancel() {
    let stream = state.withLock { state -> ClientStream? in
      defer { state = .cancelled }
      if case .started(let stream) = state { return stream }
      return nil
    }
    if let stream { stream.eventLoop.execute { stream.cancel() } }
  }
}
