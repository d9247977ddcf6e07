import ComandaRPC
import ComandaTLS
import ComandaWire
import Logging
import NIOCore
import Synchronization

/// A connection on the server: the thin shell around `ConnectionStateMachine`.
///
/// It (1) turns bytes into frames and frames into the machine's events, (2) starts a task for each call, on its own
/// loop, and ends it by reset, deadline or the connection's end, (3) hands messages over and credits them, (4) writes
/// what a tick produced in one piece while the peer reads, (5) cuts peers that are slow to introduce themselves, and
/// (6) drains.
///
/// Confined to its event loop, but for `isDraining`.
final class ServerConnection: ChannelInboundHandler, TickFlushable, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let executor: LoopExecutor
  private let settings: ServerSettings
  private let dispatcher: CallDispatcher
  private var logger: Logger
  private var machine: ConnectionStateMachine
  private var calls: [StreamID: ServerCall] = [:]
  private var runningHandlers = 0
  private var received = FrameBuffer()
  private var context: ChannelHandlerContext?
  private var peer = ConnectionContext(remoteAddress: "unknown")
  private var deadlines = DeadlineTimer()
  private var introduction: Scheduled<Void>?
  private var drainLimit: Scheduled<Void>?
  private var isHandshaken = false
  private var isFlushScheduled = false
  private var isClosing = false
  private let drainFlag = Atomic<Bool>(false)
  private let onClose: @Sendable (ServerConnection) -> Void

  init(
    executor: LoopExecutor, dispatcher: CallDispatcher, settings: ServerSettings, logger: Logger,
    onClose: @escaping @Sendable (ServerConnection) -> Void
  ) {
    self.executor = executor
    self.dispatcher = dispatcher
    self.settings = settings
    self.logger = logger
    self.machine = ConnectionStateMachine(role: .server, limits: settings.limits, software: settings.software)
    self.onClose = onClose
  }

  var eventLoop: any EventLoop {
    executor.eventLoop
  }

  var isDraining: Bool {
    drainFlag.load(ordering: .relaxed)
  }

  // MARK: - Channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    peer = ConnectionContext(remoteAddress: context.channel.remoteAddress.map(Self.text) ?? "unknown")
    logger[metadataKey: "peer"] = "\(peer.remoteAddress)"
    introduction = eventLoop.scheduleTask(in: settings.handshakeTimeout) {
      self.cut(.timeout, "the TLS handshake took longer than allowed")
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is TLSHandshakeCompleted {
      isHandshaken = true
      introduction?.cancel()
      introduction = eventLoop.scheduleTask(in: settings.firstFrameTimeout) {
        self.cut(.timeout, "no HELLO came in time")
      }
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
      cut(error.code, error.message)
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
    closed()
    executor.tickSoon()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    logger.info("a connection failed", metadata: ["error": "\(error)"])
    isClosing = true
    context.close(promise: nil)
  }

  /// The end of a channel that never became active.
  func handlerRemoved(context: ChannelHandlerContext) {
    closed()
  }

  private func closed() {
    guard context != nil else { return }
    context = nil
    isClosing = true
    introduction?.cancel()
    drainLimit?.cancel()
    deadlines.cancel()
    let calls = self.calls
    self.calls = [:]
    for call in calls.values { call.end(RPCError(.cancelled, "the caller's connection was lost")) }
    if runningHandlers == 0 { onClose(self) }
  }

  /// Ends the connection because of what its peer did.
  private func cut(_ code: CloseCode, _ reason: String) {
    guard !isClosing, let context else { return }
    isClosing = true
    logger.info("a connection is cut", metadata: ["code": "\(code)", "reason": "\(reason)"])
    machine.close(code, message: reason)
    writeOutgoing(context)
    context.close(promise: nil)
  }

  // MARK: - Events

  private func handle(_ event: ConnectionEvent) {
    switch event {
    case .none, .creditRaised, .pong: break
    case .hello(let hello):
      introduction?.cancel()
      logger.debug("a connection is open", metadata: ["software": "\(hello.software)"])
    case .opened(let id, let open): start(id, open)
    case .message(let id, let message, let cost, let isLast):
      calls[id]?.deliver(message, cost: cost)
      if isLast { calls[id]?.requestsEnded() }
    case .requestsEnded(let id): calls[id]?.requestsEnded()
    case .reset(let id, let code):
      end(id, code == .deadlineExceeded ? .deadlinePassed : RPCError(.cancelled, "the caller cancelled the call"))
    case .violation(let id, let violation): refuse(id, RPCError(violation))
    case .credential(let token): peer.setCredential(token)
    case .drainAcknowledged: closeIfDrained()
    case .closed(let code, let message):
      if code != .done {
        logger.info("the peer closed the connection", metadata: ["code": "\(code)", "reason": "\(message)"])
      }
      isClosing = true
      context?.close(promise: nil)
    case .metadata, .response, .status, .drain: break
    }
  }

  private func start(_ id: StreamID, _ open: Open) {
    let method: RPCMethod
    do {
      method = try dispatcher.method(at: open.method)
    } catch {
      finish(Status(error), on: id, atOnce: true)
      machine.handlerEnded(of: id)
      return
    }
    let deadline = deadline(of: open, method.descriptor)
    let call = ServerCall(id: id, deadline: deadline, connection: self)
    let context = ServerContext(
      method: method.descriptor, metadata: Metadata(open.metadata), deadline: deadline?.continuousInstant,
      connection: peer, call: call)
    calls[id] = call
    runningHandlers += 1
    if let deadline {
      deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
    }
    let dispatcher = self.dispatcher
    switch (method.handler, open.message, open.endStream) {
    case (.unary(let handle), let message?, true):
      call.started(
        Task(executorPreference: executor) {
          await self.serveUnary(call) { () async throws(RPCError) in
            try await dispatcher.serve(handle, message, context: context)
          }
        })
    case (.unary(let handle), let message, let isLast):
      if let message { call.deliver(message, cost: 0) }
      if isLast { call.requestsEnded() }
      call.started(
        Task(executorPreference: executor) {
          await self.serveUnary(call) { () async throws(RPCError) in
            try await dispatcher.serve(handle, call.onlyRequest(of: method.descriptor), context: context)
          }
        })
    case (.stream(let handle), let message, let isLast):
      if let message { call.deliver(message, cost: 0) }
      if isLast { call.requestsEnded() }
      call.started(
        Task(executorPreference: executor) {
          do throws(RPCError) {
            try await dispatcher.serve(handle, call, call, context: context)
            self.finished(call, nil)
          } catch {
            self.finished(call, error)
          }
        })
    }
  }

  private func serveUnary(
    _ call: ServerCall, _ serve: () async throws(RPCError) -> ByteBuffer
  ) async {
    do {
      let response = try await serve()
      guard UInt64(response.readableBytes) <= machine.peerMessageSize else {
        return finished(call, .responseTooLarge(response.readableBytes, limit: machine.peerMessageSize))
      }
      if call.trailers.isEmpty {
        if call.ending == nil { machine.respond(response, on: call.id) }
      } else if call.ending == nil {
        machine.send(response, on: call.id)
      }
      finished(call, nil)
    } catch {
      finished(call, error)
    }
  }

  private func deadline(of open: Open, _ method: MethodDescriptor) -> NIODeadline? {
    if let milliseconds = open.timeoutMilliseconds {
      return .now() + .milliseconds(Int64(milliseconds))
    }
    return method.defaultDeadline.map { .now() + TimeAmount($0) }
  }

  private func endExpired() {
    deadlines.fired()
    let now = NIODeadline.now()
    for call in calls.values {
      guard let deadline = call.deadline else { continue }
      if deadline <= now {
        refuse(call.id, .deadlinePassed)
      } else {
        deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
      }
    }
  }

  // MARK: - Calls

  /// A handler has ended; on the loop, since the task prefers its executor.
  private func finished(_ call: ServerCall, _ error: RPCError?) {
    eventLoop.assertInEventLoop()
    runningHandlers -= 1
    machine.handlerEnded(of: call.id)
    if call.ending == nil {
      calls[call.id] = nil
      var status = error.map(Status.init) ?? Status(code: 0)
      if status.trailers.isEmpty { status.trailers = [HeaderField](call.trailers) }
      finish(status, on: call.id)
      call.end(RPCError(.cancelled, "the call has ended"))
    }
    if context == nil {
      if runningHandlers == 0 { onClose(self) }
    } else {
      scheduleFlush()
      closeIfDrained()
    }
  }

  /// Stops the handler of a call that is over on the wire already.
  private func end(_ id: StreamID, _ error: RPCError) {
    calls.removeValue(forKey: id)?.end(error)
  }

  /// Ends a call with an error, ahead of its handler.
  private func refuse(_ id: StreamID, _ error: RPCError) {
    finish(Status(error), on: id, atOnce: true)
    end(id, error)
    scheduleFlush()
  }

  /// Ends a call; with INTERNAL if its trailers cannot travel.
  private func finish(_ status: Status, on id: StreamID, atOnce: Bool = false) {
    if let problem = status.trailers.problem {
      logger.error("a call's trailers cannot be sent", metadata: ["problem": "\(problem)"])
      machine.finish(Status(.unsendableMetadata), on: id, atOnce: atOnce)
    } else {
      machine.finish(status, on: id, atOnce: atOnce)
    }
  }

  func terminate(_ call: ServerCall, with error: RPCError) {
    if call.ending == nil { refuse(call.id, error) }
  }

  func took(_ cost: UInt64, on id: StreamID) {
    machine.took(cost, on: id)
    if machine.hasOutgoing { scheduleFlush() }
  }

  /// Queues a response; returns whether its writer should pause.
  func send(_ message: ByteBuffer, on id: StreamID) throws -> Bool {
    guard UInt64(message.readableBytes) <= machine.peerMessageSize else {
      throw RPCError.responseTooLarge(message.readableBytes, limit: machine.peerMessageSize)
    }
    machine.send(message, on: id)
    scheduleFlush()
    return machine.isBackedUp(id)
  }

  func sendMetadata(_ metadata: Metadata, on id: StreamID) {
    let fields = [HeaderField](metadata)
    if let problem = fields.problem {
      logger.error("a call's metadata cannot be sent", metadata: ["problem": "\(problem)"])
      refuse(id, .unsendableMetadata)
    } else {
      machine.sendMetadata(fields, on: id)
      scheduleFlush()
    }
  }

  // MARK: - Writing

  private func scheduleFlush() {
    if isFlushScheduled { return }
    isFlushScheduled = true
    executor.flush(self)
  }

  func flushAtTickEnd() {
    isFlushScheduled = false
    guard let context, !isClosing else { return }
    writeOutgoing(context)
    closeIfDrained()
  }

  /// Writes while the channel accepts: what a peer does not read stays in the machine, which bounds it.
  private func writeOutgoing(_ context: ChannelHandlerContext) {
    var hasWritten = false
    while context.channel.isWritable, machine.hasOutgoing {
      var buffer = ByteBuffer()
      machine.takeOutgoing(budget: settings.writeBudget, into: &buffer) { calls[$0]?.drained() }
      guard buffer.readableBytes > 0 else { break }
      context.write(wrapOutboundOut(buffer), promise: nil)
      hasWritten = true
    }
    if hasWritten { context.flush() }
  }

  // MARK: - Draining

  /// Asks the peer to open no further call, and closes once the open ones have ended or the time is up.
  func drain(within limit: TimeAmount) {
    guard !isDraining, !isClosing else { return }
    drainFlag.store(true, ordering: .relaxed)
    guard isHandshaken else { return cut(.done, "the server stops") }
    machine.drain()
    drainLimit = eventLoop.scheduleTask(in: limit) { self.cut(.done, "the server stops") }
    scheduleFlush()
  }

  private func closeIfDrained() {
    guard isDraining, !isClosing, machine.isDrained, runningHandlers == 0 else { return }
    cut(.done, "the connection is drained")
  }

  private static func text(_ address: SocketAddress) -> String {
    guard let ip = address.ipAddress, let port = address.port else { return "\(address)" }
    return address.protocol == .inet6 ? "[\(ip)]:\(port)" : "\(ip):\(port)"
  }
}

extension ServerCall {
  /// The one request of a unary call that came in several frames.
  func onlyRequest(of method: MethodDescriptor) async throws(RPCError) -> ByteBuffer {
    do {
      guard let message = try await next() else {
        throw RPCError(.invalidArgument, "\(method.path) takes one request message; none was sent")
      }
      guard try await next() == nil else {
        throw RPCError(.invalidArgument, "\(method.path) takes one request message; more were sent")
      }
      return message
    } catch let error as RPCError {
      throw error
    } catch {
      throw RPCError(.cancelled, "the call was cancelled")
    }
  }
}

extension RPCError {
  /// What a violation of the caller's means for its call.
  init(_ violation: StreamViolation) {
    switch violation {
    case .messageTooLarge(let limit):
      self.init(
        .resourceExhausted, "a message has at most \(limit) bytes; send larger things as a stream of messages")
    case .assemblyFull(let limit):
      self.init(
        .resourceExhausted, "messages that are partly sent have at most \(limit) bytes on a connection, all together")
    case .outOfSequence:
      self.init(.internal, "the caller sent data after the end of its requests, or ended them within a message")
    }
  }

  fileprivate static let unsendableMetadata = RPCError(
    .internal, "the server has a defect: the metadata of its answer cannot be sent")

  static func responseTooLarge(_ bytes: Int, limit: UInt64) -> RPCError {
    RPCError(.resourceExhausted, "the response has \(bytes) bytes; the caller accepts messages of up to \(limit)")
  }
}
