import DequeModule
import NIOCore

/// One side of a connection, without I/O, clock or threads: frames in, events and bytes out. Its owner tells the time.
///
/// ## Connection
/// ```
/// open ──DRAIN──▶ draining ──DRAIN_ACK──▶ drained ──last call ended──▶ closed
///   └──────── CLOSE in or out, or a WireError, from anywhere ──────────▶ closed
/// ```
/// The peer's first frame is its HELLO; until it is there, the specification's defaults hold for sending.
///
/// ## Call
/// A call is in the table from its OPEN to its STATUS, RESPONSE or RESET in either direction. Each direction is a
/// pipe (`InboundPipe`, `OutboundPipe`). Frames of calls that are no longer in the table crossed their end on the way
/// and are dropped, their bytes credited at once; frames of calls that were never opened end the connection.
///
/// ## Three kinds of wrong input
/// - The peer broke a rule of the connection: `receive` throws a `WireError`; send `close`, then close.
/// - The peer broke a rule of a call: `.violation`; finish or reset that call, the others go on.
/// - Our own layer above names a call that is over: silently nothing, since ends cross.
public struct ConnectionStateMachine: ~Copyable {
  /// Which end of the connection this is.
  public enum Role: Sendable {
    case server, client
  }

  private struct Stream {
    var inbound: InboundPipe
    var outbound: OutboundPipe
    var isScheduled = false
    var isCreditDirty = false
    /// Its writer was told to pause, and not yet to go on.
    var isPaused = false
    var hasSentMetadata = false
    var hasHandlerEnded = false
    /// Memory that is kept until the call ends: what came with its OPEN, and what `keep` was told of.
    var retained: UInt64 = 0
    /// When a segment left last, or began to wait.
    var progressedAt = NIODeadline.uptimeNanoseconds(0)
  }

  private enum Phase {
    case open, draining, drained, closed
  }

  private let role: Role
  private let limits: Limits
  private let hello: Hello
  private var phase = Phase.open
  private var isIntroduced = false
  private var peer = Limits.beforeHello
  private var streams = StreamTable<Stream>()
  private var now = NIODeadline.uptimeNanoseconds(0)
  private var abuse: AbuseBudget
  /// The highest number of a call so far.
  public private(set) var lastOpened: StreamID = 0

  // Sending
  private var outgoing = ByteBuffer()
  private var pongs: [UInt64] = []
  /// PINGs of the layer above; those of `windows` are its own to count.
  private var unansweredPings: [UInt64] = []
  private var ready: Deque<StreamID> = []
  /// Calls whose next segment needs credit of the connection, in the order of their turns.
  private var blocked: Deque<StreamID> = []
  private var paused: [StreamID] = []
  private var queuedBytes = 0
  private var sentBytes: UInt64 = 0
  /// When a segment of any call left last.
  private var progressedAt = NIODeadline.uptimeNanoseconds(0)
  private var sendLimit: UInt64 = Limits.beforeHello.connectionWindow
  private var openLimit: StreamID = Limits.beforeHello.streams

  // Receiving
  private var receivedBytes: UInt64 = 0
  /// What all calls have.
  private var holding = InboundPipe.Holding(granted: 0, kept: 0, memory: 0)
  private var advertisedBytes: UInt64
  private var advertisedStreams: StreamID
  private var windows: ReceiveWindows
  private var endedCalls: StreamID = 0
  /// What may come of calls that have ended, since their ends crossed it: DATA, by its cost, and other frames.
  private var crossingBytes: UInt64 = 0
  private var crossingFrames: UInt64 = 0
  private var creditDirty: [StreamID] = []

  /// A connection that has not begun. The first bytes to send are its HELLO.
  public init(role: Role, limits: Limits, software: String) {
    let limits = limits.withinProtocol()
    self.role = role
    self.limits = limits
    self.hello = Hello(
      connectionWindow: limits.connectionWindow, streamWindow: limits.streamWindow,
      streams: role == .server ? limits.concurrentStreams : Limits.beforeHello.streams,
      messageSize: limits.messageSize, software: software)
    self.advertisedBytes = limits.connectionWindow
    self.advertisedStreams = limits.concurrentStreams
    self.windows = ReceiveWindows(limits)
    self.abuse = AbuseBudget(points: limits.abusePoints, perSecond: limits.abusePointsPerSecond)
    FrameEncoder.encode(.hello(hello), into: &outgoing)
  }

  /// The calls that have not ended.
  public var openStreams: Int {
    streams.count
  }

  /// The ids of the calls that have not ended, in their order.
  public var openStreamIDs: [StreamID] {
    streams.keys.sorted()
  }

  /// Whether a call has not ended: its status has not been queued, or waits behind its messages.
  public func isOpen(_ id: StreamID) -> Bool {
    streams.contains(id)
  }

  /// Server: whether the drain is through: nothing is open, nothing will be, nothing waits to be sent.
  public var isDrained: Bool {
    phase == .drained && streams.isEmpty && !hasOutgoing
  }

  /// Client: whether another call may be opened now.
  public var canOpen: Bool {
    phase == .open && lastOpened < openLimit
  }

  /// Whether more waits to be sent on a call than should: its writer pauses until `takeOutgoing` names it.
  public func isBackedUp(_ id: StreamID) -> Bool {
    streams[id]?.isPaused ?? false
  }

  /// A call has a bound of its own. What all calls have together is bounded too: one that has something waiting then
  /// gets no more, and each may have one message.
  private func isOverfull(_ pipe: borrowing OutboundPipe) -> Bool {
    pipe.queuedBytes >= limits.outboundHighWater
      || queuedBytes >= limits.connectionOutboundHighWater && pipe.queuedBytes > 0
  }

  /// The calls that have their turn to send, or wait for the connection's credit.
  var waitingToSend: Int {
    ready.count + blocked.count
  }

  /// Memory that open calls hold, about: requests that are partly there or were not read, answers that were not sent.
  public var heldBytes: Int {
    Int(clamping: holding.memory) + queuedBytes
  }

  /// The open calls, the one that holds most last.
  public var callsByHeldBytes: [StreamID] {
    streams.keys.map { (id: $0, bytes: held(by: $0)) }.sorted { $0.bytes < $1.bytes }.map(\.id)
  }

  private func held(by id: StreamID) -> Int {
    guard let stream = streams[id] else { return 0 }
    return Int(clamping: stream.inbound.holding.memory + stream.retained) + stream.outbound.queuedBytes
  }

  /// The largest message that the peer accepts, in bytes.
  public var peerMessageSize: UInt64 {
    peer.messageSize
  }

  /// The calls whose next segment has lacked credit for so long: their own since one of theirs left, or the connection's
  /// since one of any call left. A call that has credit and waits for its turn on a slow line is not among them.
  public func stalledCalls(longerThan limit: TimeAmount) -> [StreamID] {
    let lackOwn = streams.keys.filter { id in
      guard let stream = streams[id], !stream.isScheduled, !stream.outbound.isDrained else { return false }
      return now - stream.progressedAt > limit
    }
    let lackConnection = blocked.filter { id in
      guard let stream = streams[id] else { return false }
      return now - max(stream.progressedAt, progressedAt) > limit
    }
    return lackOwn + lackConnection
  }

  /// Tells the time; it never goes back.
  public mutating func advance(to time: NIODeadline) {
    now = max(now, time)
  }

  // MARK: - Receiving

  /// Takes a frame of the peer.
  public mutating func receive(_ frame: consuming Frame) throws(WireError) -> ConnectionEvent {
    if phase == .closed { return .none }
    guard isIntroduced else {
      switch consume frame {
      case .hello(let hello): return try receive(hello)
      case .close(let code, let message): return closed(code, message)
      default: throw .violation("the first frame is a HELLO")
      }
    }
    switch consume frame {
    case .hello: throw .violation("a second HELLO")
    case .open(let id, let open): return try receive(open, on: id)
    case .data(let id, let bytes, let flags): return try receive(bytes, flags, on: id)
    case .response(let id, let bytes): return try receiveEnd(of: id, .response(id, bytes), name: "RESPONSE")
    case .status(let id, let status): return try receiveEnd(of: id, .status(id, status), name: "STATUS")
    case .metadata(let id, let fields):
      try require(.client, "METADATA")
      guard try isKnown(id) else { return try dropped() }
      return streams[id]?.inbound.hasReceived == false ? .metadata(id, fields) : .none
    case .reset(let id, let code):
      guard try isKnown(id) else { return try dropped() }
      if role == .server { try spend(AbuseBudget.Cost.glitch, on: "resets of calls") }
      remove(id)
      return .reset(id, code)
    case .credit(let id, let limit): return try receiveCredit(limit, on: id)
    case .streams(let limit):
      try require(.client, "STREAMS")
      if limit <= openLimit { try spend(AbuseBudget.Cost.glitch, on: "limits that change nothing") }
      openLimit = max(openLimit, limit)
      return .creditRaised
    case .ping(let number):
      guard pongs.count < limits.pendingPongs else {
        throw WireError(.excessiveLoad, "more than \(limits.pendingPongs) PINGs wait for their PONG")
      }
      try spend(AbuseBudget.Cost.glitch, on: "PINGs")
      pongs.append(number)
      return .none
    case .pong(let number):
      if windows.answered(number, received: receivedBytes) { return .none }
      guard let answered = unansweredPings.firstIndex(of: number) else {
        try spend(AbuseBudget.Cost.glitch, on: "PONGs")
        return .none
      }
      unansweredPings.remove(at: answered)
      return .pong(number)
    case .drain:
      try require(.client, "DRAIN")
      guard phase == .open else { return .none }
      phase = .draining
      queue(.drainAck)
      return .drain
    case .drainAck:
      try require(.server, "DRAIN_ACK")
      guard phase == .draining else { throw .violation("DRAIN_ACK answers a DRAIN; there was none") }
      phase = .drained
      return .drainAcknowledged
    case .close(let code, let message): return closed(code, message)
    case .credential(let token):
      try require(.server, "CREDENTIAL")
      try spend(AbuseBudget.Cost.work, on: "CREDENTIALs")
      return .credential(token)
    case .ignored:
      try spend(AbuseBudget.Cost.glitch, on: "frames of unknown types")
      return .none
    }
  }

  /// Server: counts a call that was refused for being nobody's; throws when there are too many.
  public mutating func refusedStranger() throws(WireError) {
    try spend(AbuseBudget.Cost.work, on: "calls without a known credential")
  }

  /// Counts what helps nobody.
  private mutating func spend(_ points: UInt64, on what: String) throws(WireError) {
    if abuse.spend(points, at: now) { return }
    throw WireError(.excessiveLoad, "too many \(what) in too short a time")
  }

  private mutating func receive(_ hello: Hello) throws(WireError) -> ConnectionEvent {
    guard hello.version == 1 else {
      throw WireError(.unsupportedVersion, "this side speaks version 1 of the protocol, not \(hello.version)")
    }
    let least = Limits.beforeHello
    guard hello.connectionWindow >= least.connectionWindow, hello.streamWindow >= least.streamWindow,
      hello.streams >= least.streams, hello.messageSize >= least.messageSize
    else { throw .violation("a HELLO raises the default limits; it does not lower them") }
    peer = hello
    isIntroduced = true
    raiseConnection(to: hello.connectionWindow)
    openLimit = max(openLimit, hello.streams)
    for id in openStreamIDs { raise(id, to: hello.streamWindow) }
    return .hello(hello)
  }

  private mutating func receive(_ open: consuming Open, on id: StreamID) throws(WireError) -> ConnectionEvent {
    try require(.server, "OPEN")
    guard phase != .drained else { throw .violation("OPEN after DRAIN_ACK") }
    guard id == lastOpened + 1 else {
      throw .violation("calls are numbered 1, 2, 3, …: after \(lastOpened) comes \(lastOpened + 1), not \(id)")
    }
    guard id <= advertisedStreams else {
      throw WireError(.creditExceeded, "calls may be opened up to \(advertisedStreams); this is \(id)")
    }
    lastOpened = id
    let memory = open.memory
    streams[id] = Stream(
      inbound: InboundPipe(window: limits.streamWindow, ended: open.endStream, messageSize: limits.messageSize),
      outbound: OutboundPipe(limit: peer.streamWindow, ended: false), retained: memory)
    holding.memory += memory
    return .opened(id, open)
  }

  private mutating func receive(
    _ bytes: ByteBuffer, _ flags: DataFlags, on id: StreamID
  ) throws(WireError) -> ConnectionEvent {
    let cost = FrameLayout.cost(ofData: bytes.readableBytes, flags)
    guard cost <= advertisedBytes, receivedBytes <= advertisedBytes - cost else {
      throw WireError(.creditExceeded, "the connection has credit for \(advertisedBytes) bytes; this is more")
    }
    receivedBytes += cost
    if let number = windows.probeDue(received: receivedBytes) { queue(.ping(number)) }
    if bytes.readableBytes == 0, flags == [] { try spend(AbuseBudget.Cost.glitch, on: "empty segments") }
    guard try isKnown(id) else { return try dropped(cost: cost) }
    if role == .client, flags.contains(.endStream) { return try violation(id, .outOfSequence) }
    guard var stream = streams.take(id) else { return .none }
    let before = stream.inbound.holding
    let outcome = stream.inbound.received(bytes, flags: flags)
    noteHolding(of: stream, before: before)
    markCredit(&stream, id)
    let (isEnded, advertised) = (stream.inbound.isEnded, stream.inbound.advertised)
    let isBeyondFirst = stream.inbound.holding.kept > 0
    streams[id] = stream
    switch outcome {
    case .incomplete:
      guard holding.kept <= limits.assemblyBytes || !isBeyondFirst else {
        return try violation(id, .assemblyFull(limit: limits.assemblyBytes))
      }
      return .none
    case .message(let message, let cost): return .message(id, message, cost: cost, isLast: isEnded)
    case .ended: return .requestsEnded(id)
    case .tooLarge(let limit): return try violation(id, .messageTooLarge(limit: limit))
    case .afterEnd: return try violation(id, .outOfSequence)
    case .creditExceeded:
      throw WireError(.creditExceeded, "call \(id) has credit for \(advertised) bytes; this is more")
    }
  }

  private mutating func violation(
    _ id: StreamID, _ violation: StreamViolation
  ) throws(WireError) -> ConnectionEvent {
    try spend(AbuseBudget.Cost.work, on: "violations of calls")
    return .violation(id, violation)
  }

  private mutating func receiveEnd(
    of id: StreamID, _ event: ConnectionEvent, name: String
  ) throws(WireError) -> ConnectionEvent {
    try require(.client, name)
    guard try isKnown(id), let stream = streams[id] else { return try dropped() }
    switch event {
    case .response where stream.inbound.hasReceived: return try violation(id, .outOfSequence)
    case .status(_, let status) where status.code == 0 && stream.inbound.isWithinMessage:
      return try violation(id, .outOfSequence)
    default:
      remove(id)
      return event
    }
  }

  private mutating func receiveCredit(_ limit: UInt64, on id: StreamID) throws(WireError) -> ConnectionEvent {
    let isRaised: Bool
    if id == 0 {
      isRaised = raiseConnection(to: limit)
    } else if try isKnown(id) {
      isRaised = raise(id, to: limit)
    } else {
      return try dropped()
    }
    if !isRaised { try spend(AbuseBudget.Cost.glitch, on: "limits that change nothing") }
    return .creditRaised
  }

  private func require(_ role: Role, _ name: String) throws(WireError) {
    guard role == self.role else {
      throw .violation("\(name) is a frame for the \(role), and this is the \(self.role)")
    }
  }

  /// Whether a call is in the table; a call that never was opened is the peer's violation.
  private func isKnown(_ id: StreamID) throws(WireError) -> Bool {
    guard id <= lastOpened else { throw .violation("call \(id) was never opened") }
    return streams.contains(id)
  }

  private mutating func closed(_ code: CloseCode, _ message: String) -> ConnectionEvent {
    end()
    outgoing.clear()
    return .closed(code, message: message)
  }

  // MARK: - Crediting

  /// The reader took a message of this cost.
  public mutating func took(_ cost: UInt64, on id: StreamID) {
    guard var stream = streams.take(id) else { return }
    let before = stream.inbound.holding
    stream.inbound.took(cost)
    noteHolding(of: stream, before: before)
    markCredit(&stream, id)
    streams[id] = stream
  }

  /// Server: the messages of a call have at most so many bytes; told when it begins.
  public mutating func limitMessages(of id: StreamID, to bytes: Int) {
    guard var stream = streams.take(id) else { return }
    stream.inbound.limitMessages(to: UInt64(max(0, bytes)))
    streams[id] = stream
  }

  /// Server: a message that was taken is kept until the call ends, as memory; its bytes are credited all the same.
  public mutating func keep(_ cost: UInt64, on id: StreamID) {
    guard var stream = streams.take(id) else { return }
    stream.retained += cost
    holding.memory += cost
    streams[id] = stream
  }

  /// Server: the handler of a call has ended. Once the call has ended too, its caller may open another one: neither
  /// handlers of calls that were reset nor answers that nobody reads can pile up.
  public mutating func handlerEnded(of id: StreamID) {
    guard var stream = streams.take(id) else {
      endedCalls += 1
      return
    }
    stream.hasHandlerEnded = true
    streams[id] = stream
  }

  private mutating func markCredit(_ stream: inout Stream, _ id: StreamID) {
    guard !stream.isCreditDirty, stream.inbound.creditDue(beyond: windowBeyondFirst(of: stream)) != nil else { return }
    stream.isCreditDirty = true
    creditDirty.append(id)
  }

  /// How much a call may have on top of its first window: half of what the others leave of a connection's window, so
  /// that something is left however many of them are not read.
  private func windowBeyondFirst(of stream: borrowing Stream) -> UInt64 {
    let ofOthers = holding.granted - min(stream.inbound.holding.granted, holding.granted)
    let left = windows.connection - min(ofOthers, windows.connection)
    return min(windows.stream - min(limits.streamWindow, windows.stream), left / 2)
  }

  private mutating func noteHolding(of stream: borrowing Stream, before: InboundPipe.Holding) {
    let now = stream.inbound.holding
    holding.granted += now.granted
    holding.granted -= min(before.granted, holding.granted)
    holding.kept += now.kept
    holding.kept -= min(before.kept, holding.kept)
    holding.memory += now.memory
    holding.memory -= min(before.memory, holding.memory)
  }

  // MARK: - Sending

  /// Client: opens a call; nil when there is no credit for another one. A message that fits goes along.
  public mutating func open(
    method: String, timeoutMilliseconds: UInt32?, metadata: [HeaderField], message: ByteBuffer?, isLast: Bool
  ) -> StreamID? {
    guard role == .client, canOpen else { return nil }
    lastOpened += 1
    let id = lastOpened
    var open = Open(method: method, timeoutMilliseconds: timeoutMilliseconds, metadata: metadata)
    let room = FrameLayout.maximumPayload - FrameEncoder.openOverhead(open)
    let fits = message.map { $0.readableBytes <= room } ?? true
    open.message = fits ? message : nil
    open.endStream = fits && isLast
    queue(.open(id, open))
    streams[id] = Stream(
      inbound: InboundPipe(window: limits.streamWindow, ended: false, messageSize: limits.messageSize),
      outbound: OutboundPipe(limit: peer.streamWindow, ended: open.endStream))
    if !fits, let message {
      send(message, on: id)
      if isLast { endRequests(on: id) }
    }
    return id
  }

  /// Queues a message.
  public mutating func send(_ message: ByteBuffer, on id: StreamID) {
    guard var stream = streams.take(id) else { return }
    if stream.outbound.isDrained { stream.progressedAt = now }
    let before = stream.outbound.queuedBytes
    stream.outbound.enqueue(message)
    queuedBytes += stream.outbound.queuedBytes - before
    if !stream.isPaused, isOverfull(stream.outbound) {
      stream.isPaused = true
      paused.append(id)
    }
    schedule(&stream, id)
    streams[id] = stream
  }

  /// Client: no further message follows on the call.
  public mutating func endRequests(on id: StreamID) {
    guard var stream = streams.take(id) else { return }
    stream.outbound.endAfterQueue()
    schedule(&stream, id)
    streams[id] = stream
  }

  /// Server: ends a call with one message and OK.
  public mutating func respond(_ message: ByteBuffer, on id: StreamID) {
    guard let stream = streams.take(id) else { return }
    guard stream.outbound.isIdle, message.readableBytes <= FrameLayout.maximumPayload else {
      streams[id] = stream
      send(message, on: id)
      return finish(Status(code: 0), on: id)
    }
    queue(.response(id, message))
    streams.removeValue(of: id)
    ended(stream, id)
  }

  /// Server: ends a call with a status, after the messages that are queued or (`atOnce`) instead of them.
  public mutating func finish(_ status: Status, on id: StreamID, atOnce: Bool = false) {
    guard var stream = streams.take(id) else { return }
    if atOnce || stream.outbound.isDrained {
      queue(.status(id, status))
      streams.removeValue(of: id)
      return ended(stream, id)
    }
    stream.outbound.statusAfterQueue = status
    streams[id] = stream
  }

  /// Server: sends metadata ahead of a call's first response, once.
  public mutating func sendMetadata(_ fields: [HeaderField], on id: StreamID) {
    guard var stream = streams.take(id) else { return }
    let isDue = stream.outbound.isIdle && !stream.hasSentMetadata
    stream.hasSentMetadata = true
    streams[id] = stream
    if isDue { queue(.metadata(id, fields)) }
  }

  /// Ends a call at once.
  public mutating func reset(_ id: StreamID, _ code: ResetCode) {
    guard streams.contains(id) else { return }
    queue(.reset(id, code))
    remove(id)
  }

  /// Client: the bearer token for the calls to come.
  public mutating func sendCredential(_ token: String) {
    queue(.credential(token))
  }

  /// Asks the peer for a PONG.
  public mutating func ping(_ number: UInt64) {
    unansweredPings.append(number)
    queue(.ping(number))
  }

  /// Server: asks the client to open no further call.
  public mutating func drain() {
    guard role == .server, phase == .open else { return }
    phase = .draining
    queue(.drain)
  }

  /// Queues the connection's last frame.
  public mutating func close(_ code: CloseCode, message: String) {
    guard phase != .closed else { return }
    queue(.close(code, message: message))
    end()
  }

  private mutating func queue(_ frame: Frame) {
    guard phase != .closed else { return }
    FrameEncoder.encode(frame, into: &outgoing)
  }

  /// Nothing leaves any more but what is queued already.
  private mutating func end() {
    phase = .closed
    streams = StreamTable()
    ready = []
    blocked = []
    paused = []
    queuedBytes = 0
    pongs = []
    creditDirty = []
    holding = InboundPipe.Holding(granted: 0, kept: 0, memory: 0)
  }

  /// Whether `takeOutgoing` has something.
  public var hasOutgoing: Bool {
    outgoing.readableBytes > 0 || !pongs.isEmpty || !creditDirty.isEmpty || creditDue != nil || streamsDue != nil
      || !ready.isEmpty
  }

  /// The bytes to send now: control frames first, then segments of the calls in turn, up to about `budget` bytes.
  ///
  /// `drained` is told each call whose queue fell below the high-water mark or became empty, so that its writer can
  /// go on. Take only while the transport accepts bytes: what the peer does not read is not produced.
  public mutating func takeOutgoing(
    budget: Int, into buffer: inout ByteBuffer, drained: (StreamID) -> Void
  ) {
    if buffer.readableBytes == 0 {
      swap(&buffer, &outgoing)
      outgoing.clear()
    } else {
      buffer.writeBuffer(&outgoing)
      outgoing.clear()
    }
    guard phase != .closed else { return }
    for number in pongs { FrameEncoder.encode(.pong(number), into: &buffer) }
    pongs.removeAll(keepingCapacity: true)
    writeCredit(into: &buffer)
    var credit = sendLimit - sentBytes
    while buffer.readableBytes < budget, let id = ready.popFirst() {
      guard var stream = streams.take(id) else { continue }
      let queuedBefore = stream.outbound.queuedBytes
      let creditBefore = credit
      guard let (segment, flags) = stream.outbound.nextSegment(connectionCredit: &credit) else {
        if stream.outbound.canSend {
          blocked.append(id)
        } else {
          stream.isScheduled = false
        }
        streams[id] = stream
        continue
      }
      stream.progressedAt = now
      progressedAt = now
      sentBytes += creditBefore - credit
      queuedBytes -= queuedBefore - stream.outbound.queuedBytes
      FrameEncoder.encode(.data(id, segment, flags: flags), into: &buffer)
      if stream.outbound.isDrained, let status = stream.outbound.statusAfterQueue {
        FrameEncoder.encode(.status(id, status), into: &buffer)
        streams.removeValue(of: id)
        ended(stream, id)
        continue
      }
      stream.isScheduled = stream.outbound.canSend
      if stream.isScheduled { ready.append(id) }
      streams[id] = stream
    }
    resumeWriters(drained)
  }

  private mutating func resumeWriters(_ drained: (StreamID) -> Void) {
    if paused.isEmpty { return }
    let waiting = paused
    paused = []
    for id in waiting {
      guard var stream = streams.take(id) else { continue }
      stream.isPaused = isOverfull(stream.outbound)
      let isPaused = stream.isPaused
      streams[id] = stream
      if isPaused {
        paused.append(id)
      } else {
        drained(id)
      }
    }
  }

  private mutating func writeCredit(into buffer: inout ByteBuffer) {
    for id in creditDirty {
      guard var stream = streams.take(id) else { continue }
      stream.isCreditDirty = false
      if let limit = stream.inbound.creditDue(beyond: windowBeyondFirst(of: stream)) {
        let before = stream.inbound.holding
        stream.inbound.advertise(limit)
        noteHolding(of: stream, before: before)
        FrameEncoder.encode(.credit(id, limit: limit), into: &buffer)
      }
      streams[id] = stream
    }
    creditDirty.removeAll(keepingCapacity: true)
    if let limit = creditDue {
      advertisedBytes = limit
      FrameEncoder.encode(.credit(0, limit: limit), into: &buffer)
    }
    if let limit = streamsDue {
      advertisedStreams = limit
      FrameEncoder.encode(.streams(limit: limit), into: &buffer)
    }
  }

  /// A new limit of the connection worth telling. It follows what was received, not what was read: a call that nobody
  /// reads is held up by its own credit, and holds up no other.
  private var creditDue: UInt64? {
    guard phase != .closed else { return nil }
    let limit = receivedBytes + windows.connection
    return limit > advertisedBytes && limit - advertisedBytes >= windows.connection / 2 ? limit : nil
  }

  /// A new highest stream id worth telling.
  private var streamsDue: StreamID? {
    guard role == .server, phase != .closed else { return nil }
    let (limit, overflow) = limits.concurrentStreams.addingReportingOverflow(endedCalls)
    guard !overflow, limit <= FrameLayout.highestStream, limit > advertisedStreams else { return nil }
    return limit - advertisedStreams >= max(1, limits.concurrentStreams / 4) ? limit : nil
  }

  /// Drops a frame of a call that has ended. It is free as far as it can have crossed the end: DATA up to the credit
  /// that ended calls had left, other frames up to a number a call.
  private mutating func dropped(cost: UInt64 = 0) throws(WireError) -> ConnectionEvent {
    if cost > 0, cost <= crossingBytes {
      crossingBytes -= cost
    } else if cost == 0, crossingFrames > 0 {
      crossingFrames -= 1
    } else {
      try spend(AbuseBudget.Cost.glitch, on: "frames of calls that have ended")
    }
    return .none
  }

  /// Whether the limit was raised.
  @discardableResult
  private mutating func raiseConnection(to limit: UInt64) -> Bool {
    guard limit > sendLimit else { return false }
    sendLimit = limit
    ready.prepend(contentsOf: blocked)
    blocked = []
    return true
  }

  /// Whether the limit was raised.
  @discardableResult
  private mutating func raise(_ id: StreamID, to limit: UInt64) -> Bool {
    guard var stream = streams.take(id) else { return false }
    let isRaised = stream.outbound.raise(to: limit)
    schedule(&stream, id)
    streams[id] = stream
    return isRaised
  }

  private mutating func schedule(_ stream: inout Stream, _ id: StreamID) {
    guard !stream.isScheduled, stream.outbound.canSend else { return }
    stream.isScheduled = true
    ready.append(id)
  }

  private mutating func remove(_ id: StreamID) {
    guard let stream = streams.removeValue(of: id) else { return }
    ended(stream, id)
  }

  /// Gives back what a call held that was removed from the table.
  private mutating func ended(_ stream: borrowing Stream, _ id: StreamID) {
    queuedBytes -= min(stream.outbound.queuedBytes, queuedBytes)
    crossingBytes = min(crossingBytes, Limits.largestWindow) + stream.inbound.creditLeft
    crossingFrames += AbuseBudget.crossingFrames
    let inbound = stream.inbound.holding
    holding.granted -= min(inbound.granted, holding.granted)
    holding.kept -= min(inbound.kept, holding.kept)
    holding.memory -= min(inbound.memory + stream.retained, holding.memory)
    if stream.hasHandlerEnded { endedCalls += 1 }
    if stream.isScheduled {
      ready.removeAll { $0 == id }
      blocked.removeAll { $0 == id }
    }
  }
}
