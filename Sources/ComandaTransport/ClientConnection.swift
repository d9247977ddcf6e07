import ComandaRPC
import ComandaTLS
import ComandaWire
import DequeModule
import NIOCore
import NIOPosix
import Synchronization

/// A connection on the client: the thin shell around `ConnectionStateMachine`. Confined to its event loop, but for
/// `submit`, which gathers calls of other threads with one wake-up a batch, and `isUsable`.
final class ClientConnection: ChannelInboundHandler, TickFlushable, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let executor: LoopExecutor
  private let settings: ClientSettings
  private var machine: ConnectionStateMachine
  private var streams: [StreamID: ClientStream] = [:]
  private var waiting: Deque<ClientStream> = []
  private var received = FrameBuffer()
  private var context: ChannelHandlerContext?
  private var deadlines = DeadlineTimer()
  private var introduction: Scheduled<Void>?
  private var failure: RPCError?
  private var isHandshaken = false
  private var isDraining = false
  private var isFlushScheduled = false
  private var isClosing = false
  private let submitted = Mutex<[ClientStream]>([])
  private let usable = Atomic<Bool>(true)

  /// A connection that is not made yet; calls that are submitted wait for `connect`.
  init(executor: LoopExecutor, settings: ClientSettings, credential: String?) {
    self.executor = executor
    self.settings = settings
    self.machine = ConnectionStateMachine(role: .client, limits: settings.limits, software: settings.software)
    if let credential { machine.sendCredential(credential) }
  }

  var eventLoop: any EventLoop {
    executor.eventLoop
  }

  /// Whether calls can be submitted: the server neither drains nor went away.
  var isUsable: Bool {
    usable.load(ordering: .acquiring)
  }

  // MARK: - Channel

  /// Connects; on the loop, once.
  func connect(to target: ClientChannel.Target, tls: TLSContext, serverName: String) {
    introduction = eventLoop.scheduleTask(in: settings.connectTimeout) {
      self.fail(RPCError(.unavailable, "\(target.host):\(target.port) did not introduce itself in time"))
    }
    ClientBootstrap(group: eventLoop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(settings.connectTimeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard !self.isClosing else { throw ChannelError.ioOnClosedChannel }
          try channel.pipeline.syncOperations.addHandlers(TLSHandler(context: tls, serverName: serverName), self)
        }
      }
      .connect(host: target.host, port: target.port)
      .whenFailure { self.lost(RPCError(.unavailable, "cannot connect to \(target.host):\(target.port): \($0)")) }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is TLSHandshakeCompleted {
      // Calls need not wait for the server's HELLO: until it is there, the protocol's defaults hold.
      isHandshaken = true
      openWaiting()
      scheduleFlush()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing { return }
    executor.expectTick()
    received.append(unwrapInboundIn(data))
    do {
      while !isClosing, let frame = try received.next() {
        handle(try machine.receive(frame))
      }
    } catch {
      machine.close(error.code, message: error.message)
      fail(RPCError(.internal, "the server broke the protocol: \(error.message)"))
    }
    scheduleFlush()
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    executor.tick(afterRead: true)
    context.fireChannelReadComplete()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { scheduleFlush() }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    lost(RPCError(.unavailable, "the connection to the server was lost"))
    executor.tickSoon()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(RPCError(Self.code(for: error), "the connection to the server failed: \(error)"))
  }

  /// UNAVAILABLE when trying again may help, UNAUTHENTICATED when the server is not one to be trusted.
  private static func code(for error: any Error) -> StatusCode {
    switch error as? TLSError {
    case nil, .truncated, .closed, .closedDuringHandshake, .handshakeTimeout, .tooMuchHeldBack, .failure: .unavailable
    case .configuration, .peerIsNotTLS, .unsupportedVersion, .noSharedApplicationProtocol, .certificateRejected,
      .refusedByPeer, .protocolViolation:
      .unauthenticated
    }
  }

  /// Closes the channel because of an error; what is queued is still written.
  private func fail(_ error: RPCError) {
    // Closing may report the end of the channel at once, which is no reason of its own.
    if failure == nil { failure = error }
    if !isClosing, let context {
      writeOutgoing(context)
      isClosing = true
      context.close(promise: nil)
    }
    lost(error)
  }

  private func lost(_ error: RPCError) {
    usable.store(false, ordering: .releasing)
    isClosing = true
    if failure == nil { failure = error }
    let failure = self.failure ?? error
    introduction?.cancel()
    deadlines.cancel()
    for stream in streams.values { stream.end(.failure(failure)) }
    streams = [:]
    rejectWaiting(failure)
    context = nil
  }

  /// Ends calls that the server never heard of.
  private func rejectWaiting(_ error: RPCError) {
    var error = error
    error.isRejected = true
    for stream in waiting { stream.end(.failure(error)) }
    waiting = []
  }

  // MARK: - Events

  private func handle(_ event: ConnectionEvent) {
    switch event {
    case .none, .pong, .opened, .requestsEnded, .credential, .drainAcknowledged: break
    case .hello:
      introduction?.cancel()
      openWaiting()
    case .creditRaised: openWaiting()
    case .message(let id, let message, let cost, _): streams[id]?.received(message, cost: cost)
    case .metadata(let id, let fields): streams[id]?.received(initial: Metadata(fields))
    case .response(let id, let message): streams.removeValue(forKey: id)?.received(answer: message)
    case .status(let id, let status): streams.removeValue(forKey: id)?.received(status)
    case .reset(let id, let code): streams.removeValue(forKey: id)?.end(.failure(RPCError(code)))
    case .violation(let id, let violation):
      machine.reset(id, violation.resetCode)
      streams.removeValue(forKey: id)?.end(.failure(violation.errorForCaller))
    case .drain:
      usable.store(false, ordering: .releasing)
      isDraining = true
      rejectWaiting(.serverStops)
      closeIfDrained()
    case .closed(let code, let message):
      let reason = message.isEmpty ? "\(code)" : "\(code): \(message)"
      fail(RPCError(code == .done ? .unavailable : .internal, "the server closed the connection (\(reason))"))
    }
  }

  private func openWaiting() {
    while isHandshaken, machine.canOpen, let stream = waiting.popFirst() {
      if !stream.isEnded { open(stream) }
    }
  }

  private func open(_ stream: ClientStream) {
    let request = stream.request
    var timeout: UInt32?
    if let deadline = request.deadline {
      let left = (deadline - .now()).nanoseconds
      guard left > 0 else { return stream.end(.failure(.deadlinePassed)) }
      timeout = UInt32(clamping: (left + 999_999) / 1_000_000)
    }
    guard UInt64(request.message?.readableBytes ?? 0) <= machine.peerMessageSize else {
      return stream.end(.failure(.requestTooLarge(request.message, limit: machine.peerMessageSize)))
    }
    let id = machine.open(
      method: request.method.path, timeoutMilliseconds: timeout, metadata: request.metadata,
      message: request.message, isLast: request.message != nil)
    guard let id else { return waiting.prepend(stream) }
    streams[id] = stream
    stream.opened(as: id)
    scheduleFlush()
  }

  // MARK: - Calls

  /// Takes a call from any thread.
  func submit(_ stream: ClientStream) {
    let isFirst = submitted.withLock { streams in
      streams.append(stream)
      return streams.count == 1
    }
    if isFirst { eventLoop.execute { self.takeSubmitted() } }
  }

  private func takeSubmitted() {
    let streams = submitted.withLock { submitted in
      let streams = submitted
      submitted = []
      return streams
    }
    for stream in streams where !stream.isEnded { start(stream) }
  }

  private func start(_ stream: ClientStream) {
    if var failure = failure ?? (isDraining ? .serverStops : nil) {
      failure.isRejected = true
      return stream.end(.failure(failure))
    }
    if let deadline = stream.request.deadline {
      deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
    }
    if waiting.isEmpty, isHandshaken, machine.canOpen {
      open(stream)
    } else if waiting.count < settings.waitingCalls {
      waiting.append(stream)
    } else {
      stream.end(
        .failure(
          RPCError(
            .resourceExhausted, "\(settings.waitingCalls) calls wait for the server already", isRejected: true)))
    }
  }

  func cancel(_ stream: ClientStream) {
    end(stream, RPCError(.cancelled, "the caller cancelled the call"), code: .cancelled)
  }

  /// Gives a call up, and tells the server if it knows of it.
  func end(_ stream: ClientStream, _ error: RPCError, code: ResetCode) {
    if stream.isEnded { return }
    var error = error
    if let id = stream.id {
      streams[id] = nil
      machine.reset(id, code)
      scheduleFlush()
    } else {
      error.isRejected = true
    }
    stream.end(.failure(error))
  }

  private func endExpired() {
    deadlines.fired()
    let now = NIODeadline.now()
    for stream in Array(streams.values) + Array(waiting) {
      guard let deadline = stream.request.deadline, !stream.isEnded else { continue }
      if deadline <= now {
        end(stream, .deadlinePassed, code: .deadlineExceeded)
      } else {
        deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
      }
    }
    waiting.removeAll { $0.isEnded }
  }

  func took(_ cost: UInt64, on stream: ClientStream) {
    guard let id = stream.id else { return }
    machine.took(cost, on: id)
    if machine.hasOutgoing { scheduleFlush() }
  }

  /// Queues a request; returns whether its writer should pause.
  func send(_ message: ByteBuffer, on stream: ClientStream) throws -> Bool {
    guard let id = stream.id else { return false }
    guard UInt64(message.readableBytes) <= machine.peerMessageSize else {
      throw RPCError.requestTooLarge(message, limit: machine.peerMessageSize)
    }
    machine.send(message, on: id)
    scheduleFlush()
    return machine.isBackedUp(id)
  }

  func endRequests(of stream: ClientStream) {
    guard let id = stream.id else { return }
    machine.endRequests(on: id)
    scheduleFlush()
  }

  // MARK: - Writing

  private func scheduleFlush() {
    if isFlushScheduled { return }
    isFlushScheduled = true
    executor.flush(self)
  }

  func flushAtTickEnd() {
    isFlushScheduled = false
    guard let context, isHandshaken, !isClosing else { return }
    writeOutgoing(context)
    closeIfDrained()
  }

  private func writeOutgoing(_ context: ChannelHandlerContext) {
    var hasWritten = false
    while context.channel.isWritable, machine.hasOutgoing {
      var buffer = ByteBuffer()
      machine.takeOutgoing(budget: settings.writeBudget, into: &buffer) { streams[$0]?.drained() }
      guard buffer.readableBytes > 0 else { break }
      context.write(wrapOutboundOut(buffer), promise: nil)
      hasWritten = true
    }
    if hasWritten { context.flush() }
  }

  /// Closes the connection; calls that are open end with this error.
  @discardableResult
  func close(_ reason: RPCError) -> EventLoopFuture<Void> {
    let closed = context?.channel.closeFuture ?? eventLoop.makeSucceededVoidFuture()
    machine.close(.done, message: "")
    fail(reason)
    return closed
  }

  private func closeIfDrained() {
    guard isDraining, !isClosing, streams.isEmpty, !machine.hasOutgoing else { return }
    close(.serverStops)
  }
}

extension StreamViolation {
  fileprivate var resetCode: ResetCode {
    switch self {
    case .messageTooLarge, .assemblyFull: .messageTooLarge
    case .outOfSequence: .protocolError
    }
  }

  fileprivate var errorForCaller: RPCError {
    switch self {
    case .messageTooLarge(let limit):
      RPCError(.resourceExhausted, "a response was larger than the \(limit) bytes that this client accepts")
    case .assemblyFull(let limit):
      RPCError(.resourceExhausted, "responses that are partly there took more than \(limit) bytes")
    case .outOfSequence: RPCError(.internal, "the server broke the protocol within the call")
    }
  }
}

extension RPCError {
  fileprivate static let serverStops = RPCError(.unavailable, "the server stops; the call was not started")

  fileprivate static func requestTooLarge(_ message: ByteBuffer?, limit: UInt64) -> RPCError {
    RPCError(
      .resourceExhausted,
      "the request has \(message?.readableBytes ?? 0) bytes; the server accepts messages of up to \(limit)",
      isRejected: true)
  }
}
