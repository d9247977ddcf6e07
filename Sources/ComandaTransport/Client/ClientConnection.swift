import ComandaRPC
import ComandaTLS
import ComandaWire
import NIOCore
import NIOPosix
import Synchronization

/// Whom a connection of a client tells what becomes of it; on the connection's loop.
protocol ClientConnectionOwner: AnyObject, Sendable {
  /// It can carry calls.
  func isReady(_ connection: ClientConnection)
  /// The server sent its HELLO.
  func wasIntroduced(_ connection: ClientConnection)
  /// Its server drains: it takes no further calls; those that it has go on.
  func drains(_ connection: ClientConnection)
  /// Its numbers run out: it takes no further calls either.
  func isExhausted(_ connection: ClientConnection)
  /// It had no calls for a while.
  func isIdle(_ connection: ClientConnection)
  /// It ended, or did not come about. Told once, ahead of its calls.
  func ended(_ connection: ClientConnection, _ error: RPCError)
}

/// A connection on the client: the thin shell around `ConnectionStateMachine`. Confined to its event loop, but for
/// `submit`, which gathers calls of other threads with one wake-up a batch.
final class ClientConnection: ChannelInboundHandler, TickFlushable, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Its number among those of its owner.
  let id: Int
  let executor: LoopExecutor
  private let owner: any ClientConnectionOwner
  private let settings: ClientSettings
  private var machine: ConnectionStateMachine
  private var streams: [StreamID: ClientStream] = [:]
  private var waiting = WaitingLine<ClientStream>()
  private var received = FrameBuffer()
  private var context: ChannelHandlerContext?
  private var deadlines = DeadlineTimer()
  private var introduction: Scheduled<Void>?
  private var keepalive: ClientKeepalive
  private var keepaliveTimer: Scheduled<Void>?
  private var idleTimer: Scheduled<Void>?
  private var lastPing: UInt64 = 0
  private var lastOpened: StreamID = 0
  private var failure: RPCError?
  private var isHandshaken = false
  private var isDraining = false
  private var isRetired = false
  private var isFlushScheduled = false
  private var isClosing = false
  private var hasEnded = false
  private let submitted = Mutex<[ClientStream]>([])

  /// A connection that is not made yet; calls may be submitted once its owner knows that it is ready.
  init(
    id: Int, owner: any ClientConnectionOwner, executor: LoopExecutor, settings: ClientSettings, credential: String?
  ) {
    self.id = id
    self.owner = owner
    self.executor = executor
    self.settings = settings
    self.keepalive = ClientKeepalive(settings, now: .now())
    self.machine = ConnectionStateMachine(role: .client, limits: settings.limits, software: settings.software)
    if let credential { machine.sendCredential(credential) }
  }

  var eventLoop: any EventLoop {
    executor.eventLoop
  }

  // MARK: - Channel

  /// Connects; on the loop, once.
  func connect(to endpoint: Endpoint, tls: TLSContext) {
    if isClosing { return }
    introduction = eventLoop.scheduleTask(in: settings.connectTimeout) {
      let limit = self.settings.connectTimeout.inWords
      self.timedOut("no HELLO came within \(limit)", "\(endpoint) did not introduce itself within \(limit)")
    }
    let bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(settings.connectTimeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard !self.isClosing else { throw ChannelError.ioOnClosedChannel }
          try channel.pipeline.syncOperations.addHandlers(
            TLSHandler(context: tls, serverName: endpoint.serverName), self)
        }
      }
    if endpoint.address.protocol != .unix { _ = bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1) }
    bootstrap.connect(to: endpoint.address).whenFailure { self.lost(RPCError(connecting: $0)) }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is TLSHandshakeCompleted {
      // Calls need not wait for the server's HELLO: until it is there, the protocol's defaults hold.
      isHandshaken = true
      startTimers()
      owner.isReady(self)
      scheduleFlush()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing { return }
    executor.expectTick()
    let now = NIODeadline.now()
    machine.advance(to: now)
    keepalive.received(now: now)
    received.append(unwrapInboundIn(data))
    do {
      while !isClosing, let frame = try received.next() {
        handle(try machine.receive(frame))
      }
    } catch {
      machine.close(error.code, message: error.message)
      fail(RPCError(error.code.statusOfCalls, "the server broke the protocol: \(error.message)"))
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
    var error = RPCError(connecting: error)
    if isHandshaken { error.message = "the connection to the server failed: \(error.message)" }
    fail(error)
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

  /// Gives a server up that is silent, and tells it too: it may be alive, and late.
  private func timedOut(_ reason: String, _ message: String) {
    machine.close(.timeout, message: reason)
    fail(RPCError(.unavailable, message))
  }

  private func lost(_ error: RPCError) {
    isClosing = true
    if failure == nil { failure = error }
    if hasEnded { return }
    hasEnded = true
    let failure = self.failure ?? error
    for timer in [introduction, keepaliveTimer, idleTimer] { timer?.cancel() }
    deadlines.cancel()
    // The owner first: calls that are made again must not come here.
    owner.ended(self, failure)
    for stream in streams.values { stream.end(.failure(failure)) }
    streams = [:]
    rejectWaiting(failure)
    context = nil
  }

  /// Ends calls that the server never heard of.
  private func rejectWaiting(_ error: RPCError) {
    var error = error
    error.isRejected = true
    while let stream = waiting.popFirst() { stream.end(.failure(error)) }
  }

  // MARK: - Events

  private func handle(_ event: ConnectionEvent) {
    switch event {
    case .none, .pong, .opened, .requestsEnded, .credential, .drainAcknowledged: break
    case .hello:
      introduction?.cancel()
      owner.wasIntroduced(self)
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
      isDraining = true
      if !isRetired { owner.drains(self) }
      rejectWaiting(.serverStops)
      closeIfDrained()
    case .closed(let code, let message):
      let reason = message.isEmpty ? "\(code)" : "\(code): \(message)"
      fail(RPCError(code.statusOfCalls, "the server closed the connection (\(reason))"))
    }
  }

  private func openWaiting() {
    while machine.canOpen, let stream = waiting.popFirst() { open(stream) }
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
    guard let id else { return wait(stream) }
    streams[id] = stream
    lastOpened = id
    stream.opened(as: id)
    scheduleFlush()
    if id >= settings.callsPerConnection, !isRetired, !isDraining {
      isRetired = true
      owner.isExhausted(self)
    }
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
    // Some may have ended at once, and a retired connection have waited for nothing else.
    scheduleFlush()
  }

  private func start(_ stream: ClientStream) {
    if var failure = failure ?? (isDraining ? .serverStops : nil) {
      failure.isRejected = true
      return stream.end(.failure(failure))
    }
    if let deadline = stream.request.deadline, !deadlines.covers(deadline) {
      deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
    }
    if waiting.isEmpty, machine.canOpen {
      open(stream)
    } else if waiting.count < settings.waitingCalls {
      wait(stream)
    } else {
      stream.end(
        .failure(
          RPCError(
            .resourceExhausted, "\(settings.waitingCalls) calls wait for the server already", isRejected: true)))
    }
  }

  private func wait(_ stream: ClientStream) {
    stream.waits(as: waiting.append(stream))
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
    } else {
      if let ticket = stream.ticket { waiting.remove(ticket) }
      error.isRejected = true
    }
    stream.end(.failure(error))
    scheduleFlush()
  }

  private func endExpired() {
    deadlines.fired()
    let now = NIODeadline.now()
    for stream in Array(streams.values) + waiting.all {
      guard let deadline = stream.request.deadline, !stream.isEnded else { continue }
      if deadline <= now {
        end(stream, .deadlinePassed, code: .deadlineExceeded)
      } else {
        deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
      }
    }
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

  /// Closes the connection once its calls have ended, those too that are on their way to it.
  func retire() {
    isRetired = true
    closeIfDrained()
  }

  private func closeIfDrained() {
    guard isDraining || isRetired, !isClosing, streams.isEmpty, waiting.isEmpty, !machine.hasOutgoing,
      submitted.withLock(\.isEmpty)
    else { return }
    close(.serverStops)
  }

  // MARK: - Silence

  private func startTimers() {
    keepalive.received(now: .now())
    lookForLife(at: keepalive.firstLook)
    lookForCalls(since: lastOpened)
  }

  private func lookForLife(at moment: NIODeadline) {
    keepaliveTimer = eventLoop.scheduleTask(deadline: moment) {
      let hasCalls = !self.streams.isEmpty || !self.waiting.isEmpty
      switch self.keepalive.look(hasCalls: hasCalls, now: .now()) {
      case .wait(let next): self.lookForLife(at: next)
      case .ping(let next):
        self.lastPing += 1
        self.machine.ping(self.lastPing)
        self.scheduleFlush()
        self.lookForLife(at: next)
      case .fail:
        let limit = self.settings.keepaliveTimeout.inWords
        self.timedOut("no PONG came within \(limit)", "the server did not answer a PING within \(limit)")
      }
    }
  }

  private func lookForCalls(since last: StreamID) {
    idleTimer = eventLoop.scheduleTask(in: .nanoseconds(settings.idleTimeout.nanoseconds / 2)) {
      if self.streams.isEmpty, self.waiting.isEmpty, self.lastOpened == last {
        self.owner.isIdle(self)
      } else {
        self.lookForCalls(since: self.lastOpened)
      }
    }
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
