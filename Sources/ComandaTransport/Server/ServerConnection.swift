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
/// what a tick produced in one piece while the peer reads, (5) does what `ConnectionTimekeeper` finds due, and cuts
/// peers that broke the rules, with a reason in the log, and (6) drains.
///
/// Confined to its event loop, but for `isDraining`.
final class ServerConnection: ChannelInboundHandler, TickFlushable, @unchecked Sendable {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  let executor: LoopExecutor
  private let handlers: HandlerTasks
  private let settings: ServerSettings
  private let dispatcher: CallDispatcher
  private var logger: Logger
  private var machine: ConnectionStateMachine
  private var times: ConnectionTimekeeper
  private var memory: ConnectionMemory
  private var calls = StreamTable<ServerCall>()
  private var runningHandlers = 0
  private var received = FrameBuffer()
  private var context: ChannelHandlerContext?
  private var peer = ConnectionContext(remoteAddress: "unknown")
  private var deadlines = DeadlineTimer()
  private var drainLimit: Scheduled<Void>?
  private var readAt = NIODeadline.now()
  private var isHandshaken = false
  private var isFlushScheduled = false
  private var isClosing = false
  /// Why the connection is cut at the end of the tick.
  private var excess: WireError?
  private let drainFlag = Atomic<Bool>(false)
  private var onClose: ((ServerConnection) -> Void)?

  /// - Parameter onClose: called once, on the loop, when the channel and all handlers have ended.
  init(
    loop: ServerLoop, dispatcher: CallDispatcher, settings: ServerSettings, logger: Logger,
    onClose: @escaping (ServerConnection) -> Void
  ) {
    self.executor = loop.executor
    self.handlers = loop.handlers
    self.dispatcher = dispatcher
    self.settings = settings
    self.logger = logger
    self.machine = ConnectionStateMachine(role: .server, limits: settings.limits, software: settings.software)
    self.times = ConnectionTimekeeper(settings, at: readAt, chance: .random(in: -1...1))
    self.memory = ConnectionMemory(
      loop.memory, strangers: dispatcher.strangers, strangerBytes: settings.strangerBytes)
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
    if let address = context.channel.remoteAddress { speaks(as: address.hostAndPort) }
  }

  /// A load balancer said whom it speaks for.
  func speaks(for header: ProxyHeader) {
    if let client = header.client { speaks(as: client) }
  }

  private func speaks(as address: String) {
    peer = ConnectionContext(remoteAddress: address)
    logger[metadataKey: "peer"] = "\(LogText(address))"
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSHandshakeCompleted {
      isHandshaken = true
      times.handshakeCompleted(at: .now())
      if let certificate = event.handshake.peerCertificate {
        peer = ConnectionContext(
          remoteAddress: peer.remoteAddress,
          certificate: PeerCertificate(subject: certificate.subject, sha256: certificate.sha256))
        times.used(at: .now())
      }
      scheduleFlush()
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isClosing { return }
    executor.expectTick()
    readAt = .now()
    machine.advance(to: readAt)
    times.heard(at: readAt)
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
    times.writability(context.channel.isWritable, at: .now())
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

  /// Ends a connection whose channel was refused.
  func abandon() {
    isClosing = true
    if context == nil { endIfOver() }
  }

  private func closed() {
    guard context != nil else { return }
    context = nil
    isClosing = true
    drainLimit?.cancel()
    deadlines.cancel()
    let calls = self.calls.all
    self.calls = StreamTable()
    for call in calls { call.end(.connectionLost) }
    memory.end()
    endIfOver()
  }

  private func endIfOver() {
    guard context == nil, runningHandlers == 0, let onClose else { return }
    self.onClose = nil
    onClose(self)
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

  /// Does what is due: called every now and then.
  func check(at now: NIODeadline) {
    if isClosing { return }
    machine.advance(to: now)
    forgetAnswered()
    if let channel = context?.channel, !channel.isWritable,
      let bytes = try? channel.syncOptions?.getOption(.bufferedWritableBytes)
    {
      times.unwritten(bytes, at: now)
    }
    switch times.check(at: now, openCalls: calls.count) {
    case .none: break
    case .ping:
      machine.ping(0)
      scheduleFlush()
    case .drain(let reason): drain(within: settings.drainTimeout, reason: reason)
    case .cut(let reason): cut(.timeout, reason)
    }
    settleMemory()
    if calls.isEmpty { return }
    endSlowRequests(at: now)
    for id in machine.stalledCalls(longerThan: settings.stallTimeout) {
      logger.info("a call is reset", metadata: ["reason": "its messages are not read"])
      machine.reset(id, .stalled)
      end(id, .stalled)
      scheduleFlush()
    }
  }

  // MARK: - Events

  private func handle(_ event: consuming ConnectionEvent) {
    switch consume event {
    case .none, .creditRaised, .pong: break
    case .hello(let hello):
      times.introduced(at: readAt)
      logger.debug("a connection is open", metadata: ["software": "\(LogText(hello.software))"])
    case .opened(let id, let open): start(id, open)
    case .message(let id, let message, let cost, let isLast):
      deliver(message, cost: cost, isLast: isLast, on: id)
    case .requestsEnded(let id): calls[id]?.requestsEnded()
    case .reset(let id, let code):
      end(id, code == .deadlineExceeded ? .deadlinePassed : RPCError(.cancelled, "the caller cancelled the call"))
    case .violation(let id, let violation): refuse(id, error(of: violation, on: id))
    case .credential(let token):
      times.used(at: readAt)
      peer = ConnectionContext(
        remoteAddress: peer.remoteAddress, certificate: peer.certificate, credential: token)
    case .drainAcknowledged: closeIfDrained()
    case .closed(let code, let message):
      if code != .done {
        logger.info("the peer closed the connection", metadata: ["code": "\(code)", "reason": "\(LogText(message))"])
      }
      isClosing = true
      context?.close(promise: nil)
    case .metadata, .response, .status, .drain: break
    }
  }

  private func deliver(_ message: ByteBuffer, cost: UInt64, isLast: Bool, on id: StreamID) {
    guard let call = calls[id] else { return }
    call.deliver(message, cost: cost)
    if isLast { call.requestsEnded() }
  }

  private func error(of violation: StreamViolation, on id: StreamID) -> RPCError {
    if case .messageTooLarge(let limit) = violation, let route = calls[id]?.route,
      let own = route.requestBytes, UInt64(max(0, own)) == limit
    {
      return route.requestTooLarge
    }
    return RPCError(violation)
  }

  private func start(_ id: StreamID, _ open: consuming Open) {
    if id >= settings.callsPerConnection {
      drain(within: settings.drainTimeout, reason: "the connection's numbers of calls are used up")
    }
    let route: CallRoute
    do throws(RPCError) {
      route = try dispatcher.route(to: open.method)
      if let message = open.message { try route.check(requestBytes: message.readableBytes) }
    } catch {
      finish(Status(error), on: id, atOnce: true)
      machine.handlerEnded(of: id)
      return
    }
    if let bytes = route.requestBytes, !open.endStream { machine.limitMessages(of: id, to: bytes) }
    let method = route.descriptor
    let deadline = deadline(of: open, method)
    let call = ServerCall(
      id: id, route: route, fields: open.metadata, arrival: readAt, deadline: deadline, peer: peer, connection: self)
    calls[id] = call
    times.used(at: readAt)
    runningHandlers += 1
    if let deadline, !deadlines.covers(deadline) {
      deadlines.cover(deadline, on: eventLoop) { self.endExpired() }
    }
    if method.kind == .unary, open.endStream, let message = open.message {
      call.deliver(onlyRequest: message)
    } else {
      if let message = open.message { deliver(message, cost: 0, isLast: false, on: id) }
      if open.endStream { call.requestsEnded() }
    }
    if call.ending == nil {
      handlers.start(call)
    } else {
      runningHandlers -= 1
      machine.handlerEnded(of: id)
    }
  }

  /// Runs the handler of a call, in a task of the loop.
  func serve(_ call: ServerCall) async {
    do throws(RPCError) {
      try await dispatcher.serve(call)
      finished(call, nil)
    } catch {
      finished(call, error)
    }
  }

  func respond(_ response: ByteBuffer, to call: ServerCall) throws(RPCError) {
    eventLoop.assertInEventLoop()
    guard UInt64(response.readableBytes) <= machine.peerMessageSize else {
      throw .responseTooLarge(response.readableBytes, limit: machine.peerMessageSize)
    }
    if call.ending != nil { return }
    if call.trailers.isEmpty {
      machine.respond(response, on: call.id)
    } else {
      machine.send(response, on: call.id)
    }
    // Smaller ones are written at the end of this tick.
    if response.readableBytes > ConnectionMemory.step { settleMemory() }
  }

  private func deadline(of open: Open, _ method: MethodDescriptor) -> NIODeadline? {
    if let milliseconds = open.timeoutMilliseconds {
      return readAt + .milliseconds(Int64(milliseconds))
    }
    return method.defaultDeadline.map { readAt + TimeAmount($0) }
  }

  private func endExpired() {
    deadlines.fired()
    forgetAnswered()
    let now = NIODeadline.now()
    for call in calls.all {
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
      if let error {
        var status = Status(error)
        if status.trailers.isEmpty { status.trailers = [HeaderField](call.trailers) }
        finish(status, on: call.id)
      } else if machine.isOpen(call.id) {
        finish(Status(code: 0, trailers: [HeaderField](call.trailers)), on: call.id)
      }
      call.handlerEnded()
      // Else its answer waits for credit, and its deadline still holds.
      if !machine.isOpen(call.id) { calls[call.id] = nil }
    }
    if context == nil {
      endIfOver()
    } else {
      scheduleFlush()
      closeIfDrained()
    }
  }

  /// Forgets the calls whose answers have left since their handlers ended.
  private func forgetAnswered() {
    for call in calls.all where !machine.isOpen(call.id) { calls[call.id] = nil }
  }

  /// Stops the handler of a call that is over on the wire already.
  private func end(_ id: StreamID, _ error: RPCError) {
    calls.removeValue(of: id)?.end(error)
  }

  /// Ends a call with an error, ahead of its handler.
  private func refuse(_ id: StreamID, _ error: RPCError) {
    finish(Status(error), on: id, atOnce: true)
    end(id, error)
    scheduleFlush()
  }

  /// Ends a call; with INTERNAL if its trailers cannot travel.
  private func finish(_ status: Status, on id: StreamID, atOnce: Bool = false) {
    if memory.account == nil, Self.refusalsOfStrangers.contains(status.code) { countRefusal() }
    if let problem = status.trailers.problem {
      logger.error("a call's trailers cannot be sent", metadata: ["problem": "\(problem)"])
      machine.finish(Status(.unsendableMetadata), on: id, atOnce: atOnce)
    } else {
      machine.finish(status, on: id, atOnce: atOnce)
    }
  }

  /// What a call ends with that nobody known has made: each costs a little, and who makes them is not held to anything.
  private static let refusalsOfStrangers = [StatusCode.unauthenticated.rawValue, StatusCode.resourceExhausted.rawValue]

  private func countRefusal() {
    do {
      try machine.refusedStranger()
    } catch {
      excess = error
    }
  }

  func terminate(_ call: ServerCall, with error: RPCError) {
    if call.ending == nil { refuse(call.id, error) }
  }

  /// - Parameter keeping: whether the message stays in memory until its call ends.
  func took(_ cost: UInt64, on id: StreamID, keeping isKept: Bool) {
    machine.took(cost, on: id)
    if isKept { machine.keep(cost, on: id) }
    if machine.hasOutgoing { scheduleFlush() }
  }

  /// Queues a response; returns whether its writer should pause.
  func send(_ message: ByteBuffer, on id: StreamID) throws -> Bool {
    guard UInt64(message.readableBytes) <= machine.peerMessageSize else {
      throw RPCError.responseTooLarge(message.readableBytes, limit: machine.peerMessageSize)
    }
    machine.send(message, on: id)
    if message.readableBytes > ConnectionMemory.step { settleMemory() }
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

  // MARK: - Memory

  /// It is known now whose calls these are.
  func belongs(to account: ResourceAccount) {
    memory.belongs(to: account)
  }

  /// Accounts for what the connection holds; ends the calls that hold most while it may not hold so much. At the end of a
  /// tick, when the calls of a moment are over and callers are known: a tick brings what four reads give at most.
  private func settleMemory() {
    var greedy: [StreamID]?
    while memory.isDue(machine.heldBytes) {
      // A call of a method that needs a scope ends at once when its caller turns out to be nobody.
      let refusal = memory.settle(
        machine.heldBytes, isLookingUp: calls.contains { $0.route.descriptor.scope != nil })
      guard let refusal else { return }
      // Ordered once, however many have to end: whoever floods makes them many.
      var left = greedy ?? machine.callsByHeldBytes
      guard let id = left.popLast() else { return }
      greedy = left
      refuse(id, RPCError(refusal))
    }
  }

  /// Ends the calls whose requests take too long to come: what is there of them is kept all the time.
  private func endSlowRequests(at now: NIODeadline) {
    let limit = memory.account == nil ? settings.strangerRequestTimeout : settings.requestTimeout
    for call in calls.all where call.awaitsRequest && now - call.arrival > limit {
      refuse(call.id, .requestTooSlow(limit))
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
    settleMemory()
    if let excess { return cut(excess.code, excess.message) }
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
  func drain(within limit: TimeAmount, reason: String) {
    guard !isDraining, !isClosing else { return }
    logger.debug("a connection drains", metadata: ["reason": "\(reason)"])
    drainFlag.store(true, ordering: .relaxed)
    times.drainBegan()
    guard isHandshaken else { return cut(.done, reason) }
    machine.drain()
    for call in calls.all { call.drainBegan() }
    drainLimit = eventLoop.scheduleTask(in: limit) { self.cut(.done, reason) }
    scheduleFlush()
  }

  private func closeIfDrained() {
    guard isDraining, !isClosing, machine.isDrained, runningHandlers == 0 else { return }
    cut(.done, "the connection is drained")
  }
}
