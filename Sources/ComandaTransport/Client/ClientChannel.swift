import ComandaRPC
import ComandaTLS
import ComandaWire
import NIOCore
import Synchronization

/// Calls to the servers behind one or several addresses.
///
/// ```swift
/// let channel = try ClientChannel(
///   targets: [.init(host: "orders-1.internal", port: 7443), .init(host: "orders-2.internal", port: 7443)],
///   tls: .client(trust: .authorities(.file("ca.pem"))), credential: token)
/// ```
///
/// - Connections are made with the first call, one to each address. Calls take turns on those that are ready. One that
///   is lost is made anew with jittered backoff (``ClientSettings/backoff``); one whose server drains is replaced at
///   once, and its calls go on.
/// - A call that failed is made again where that does no harm (``RetryPolicy``), within its deadline. What fails above
///   that fails with the error of its last attempt.
/// - Cancelling a call's task cancels the call, on the server too.
///
/// It closes its connections when it is released and no call is open; `close()` does so at once.
public final class ClientChannel: RPCChannel {
  private let pool: ClientPool
  private let settings: ClientSettings
  private let interceptors: [any ClientInterceptor]
  private let isClosed = Atomic<Bool>(false)

  /// A client of these servers; it connects with the first call.
  /// - Parameters:
  ///   - credential: the bearer token, sent once a connection.
  ///   - interceptors: run around every call, in this order at its start and at its end.
  /// - Throws: `TLSError` when the certificates given cannot be used; `RPCError` INVALID_ARGUMENT for a target that no
  ///   connection can be made to.
  public init(
    targets: [Target], tls: TLSConfiguration, credential: String? = nil, settings: ClientSettings = ClientSettings(),
    interceptors: [any ClientInterceptor] = []
  ) throws {
    self.pool = try ClientPool(targets: targets, tls: tls, credential: credential, settings: settings)
    self.settings = settings
    self.interceptors = interceptors
  }

  /// A client of one server.
  /// - Throws: as ``init(targets:tls:credential:settings:interceptors:)``.
  public convenience init(
    target: Target, tls: TLSConfiguration, credential: String? = nil, settings: ClientSettings = ClientSettings(),
    interceptors: [any ClientInterceptor] = []
  ) throws {
    try self.init(
      targets: [target], tls: tls, credential: credential, settings: settings, interceptors: interceptors)
  }

  deinit {
    if !isClosed.load(ordering: .relaxed) { _ = pool.close() }
  }

  /// Makes a unary call.
  public func unary(
    _ method: MethodDescriptor, _ message: ByteBuffer, options: CallOptions
  ) async throws -> ByteBuffer {
    var attempts = RetrySequence()
    if interceptors.isEmpty { return try await unary(request(method, message, options), &attempts) }
    let observation = CallObservation(interceptors, ClientCallContext(method: method, options: options))
    do {
      let options = try await observation.start()
      let response = try await unary(request(method, message, options), &attempts)
      observation.ended(.ok, attempts: attempts.attempts)
      return response
    } catch {
      observation.ended(with: error, attempts: attempts.attempts)
      throw error
    }
  }

  private func unary(
    _ request: ClientStream.Request, _ attempts: inout RetrySequence
  ) async throws -> ByteBuffer {
    try await repeating(request, &attempts) { connection in
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
  }

  /// Starts a call in which at least one side streams.
  public func start(
    _ method: MethodDescriptor, request message: ByteBuffer?, options: CallOptions
  ) async throws -> any ClientCall {
    var attempts = RetrySequence()
    if interceptors.isEmpty {
      let request = try request(method, message, options)
      let stream = try await open(request, &attempts)
      return ClientCallHandle(stream, request, attempts, channel: self, observation: nil)
    }
    let observation = CallObservation(interceptors, ClientCallContext(method: method, options: options))
    do {
      let request = try self.request(method, message, try await observation.start())
      let stream = try await open(request, &attempts)
      return ClientCallHandle(stream, request, attempts, channel: self, observation: observation)
    } catch {
      observation.ended(with: error, attempts: attempts.attempts)
      throw error
    }
  }

  /// Opens a streaming call on a connection, trying again while it surely did not start.
  func open(_ request: ClientStream.Request, _ attempts: inout RetrySequence) async throws -> ClientStream {
    try await repeating(request, &attempts) { connection in
      let started = StartedStream()
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          let stream = ClientStream(request, connection: connection, awaiting: .opening(continuation))
          connection.submit(stream)
          started.set(stream)
        }
      } onCancel: {
        started.cancel()
      }
    }
  }

  /// Closes all connections; calls that are open end with CANCELLED.
  public func close() async throws {
    isClosed.store(true, ordering: .relaxed)
    for closed in pool.close() { try await closed.get() }
  }

  // MARK: - Attempts

  private func request(
    _ method: MethodDescriptor, _ message: ByteBuffer?, _ options: CallOptions
  ) throws(RPCError) -> ClientStream.Request {
    var metadata = [HeaderField](options.metadata)
    if let credential = options.credential {
      metadata.append(HeaderField(key: "authorization", value: "Bearer \(credential)"))
    }
    if let problem = metadata.problem { throw RPCError(.invalidArgument, problem, isRejected: true) }
    let timeout = options.timeout ?? method.defaultDeadline
    return ClientStream.Request(
      method: method, deadline: timeout.map { .now() + TimeAmount($0) }, metadata: metadata, message: message,
      waitsForReady: options.waitsForReady,
      maximumAttempts: options.maximumAttempts ?? settings.retries.maximumAttempts)
  }

  private func repeating<Result>(
    _ request: ClientStream.Request, _ attempts: inout RetrySequence,
    _ attempt: (ClientConnection) async throws -> Result
  ) async throws -> Result {
    while true {
      var isPicked = false
      do {
        var connection = pool.pick()
        if connection == nil { connection = try await pool.connection(for: request) }
        guard let connection else { throw RPCError.clientClosed(isRejected: true) }
        isPicked = true
        return try await attempt(connection)
      } catch let error as RPCError {
        // No server can be reached: who wants to wait for one says so. A call that was under way is owed its attempts.
        guard isPicked || attempts.attempts > 1, let pause = pause(after: error, of: request, &attempts) else {
          throw error
        }
        try await wait(pause)
      }
    }
  }

  /// How long to wait before the call is made again; nil when it has failed.
  func pause(
    after error: RPCError, of request: ClientStream.Request, _ attempts: inout RetrySequence
  ) -> TimeAmount? {
    var random = SystemRandomNumberGenerator()
    return attempts.pause(
      after: error, of: request.method.idempotency, limit: request.maximumAttempts, policy: settings.retries,
      deadline: request.deadline, now: .now(), using: &random, withdraw: pool.withdrawRetry)
  }

  func wait(_ pause: TimeAmount) async throws {
    guard pause > .zero else { return }
    do {
      try await Task.sleep(for: .nanoseconds(pause.nanoseconds))
    } catch {
      throw RPCError(.cancelled, "the caller cancelled the call")
    }
  }
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
