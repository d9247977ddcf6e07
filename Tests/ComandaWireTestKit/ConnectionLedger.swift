import ComandaWire

/// An account of what one side of a connection may do, kept from the frames that it sends and receives alone.
///
/// It is a second reading of `proto/WIRE.md`, without a queue, a schedule or a byte of payload: the numbers are written
/// out here, so that a mistake in the machine's own arithmetic is not repeated. What it finds wrong with the *side* it
/// throws as a `Breach`; what the *peer* does wrong it predicts (`verdict`), so that a test can compare.
public struct ConnectionLedger {
  /// A rule that the side itself broke.
  public struct Breach: Error, CustomStringConvertible {
    /// The rule and the numbers.
    public let description: String
  }

  /// What has to come of a frame of the peer.
  public enum Verdict: Equatable {
    case accepted
    case refused(CloseCode)
  }

  /// A call, from both directions.
  struct Call {
    var sendLimit: UInt64
    var sent: UInt64 = 0
    var isSendingMessage = false
    var hasSentData = false
    var hasSentMetadata = false
    var hasSentEndStream = false
    var hasSentEnd = false

    var granted: UInt64
    var received: UInt64 = 0
    /// Cost and bytes of the message that is only partly there.
    var assemblingCost: UInt64 = 0
    var assemblingBytes = 0
    /// Costs and bytes of the messages that wait for their reader.
    var unread: [(cost: UInt64, bytes: Int)] = []
    var hasReceivedEndStream = false

    /// The layer above, or the peer, ended the call.
    var isOver = false
    /// The layer above asked for the end, which may wait behind messages.
    var isFinishing = false
    var hasHandlerEnded = false

    var withheld: UInt64 {
      let complete = unread.reduce(0) { $0 + $1.cost }
      return complete > 0 ? complete + assemblingCost : 0
    }

    /// What may have to be kept for the call beyond its first window.
    func beyond(_ window: UInt64) -> UInt64 {
      let kept = granted + withheld - min(received, granted + withheld)
      return kept - min(window, kept)
    }
  }

  private let role: ConnectionStateMachine.Role
  /// How far above what it took the side may grant; the windows of its HELLO, unless it lets them grow.
  private let largestConnectionWindow: UInt64?
  private let largestStreamWindow: UInt64?
  /// Calls that live, and those whose handler or last frames are still to come.
  private var calls: [StreamID: Call] = [:]
  private var forgotten = 0
  private var lastOpened: StreamID = 0
  private var lastOpenSent: StreamID = 0

  // What the side may send
  private var sendLimit: UInt64 = 1_048_576
  private var streamSendLimit: UInt64 = 262_144
  private var openLimit: StreamID = 100
  private var sent: UInt64 = 0
  private var unansweredPings: [UInt64] = []
  private var hasSentHello = false
  private var isDraining = false
  private var hasSentDrain = false
  private var hasSentDrainAck = false
  private var hasSentClose = false

  // What the side granted; the peer may count on the defaults before it has the HELLO.
  private var connectionWindow: UInt64 = 1_048_576
  private var streamWindow: UInt64 = 262_144
  private var concurrentStreams: StreamID = 100
  private var granted: UInt64 = 1_048_576
  private var grantedStreams: StreamID = 100
  private var received: UInt64 = 0
  private var hasReceivedHello = false
  private var hasReceivedDrain = false
  private var hasReceivedDrainAck = false
  private var hasReceivedClose = false

  /// The account of a side that has not begun.
  /// - Parameters:
  ///   - largestConnectionWindow: How large the side may make its window of the connection; that of its HELLO if nil.
  ///   - largestStreamWindow: The same for a call.
  public init(
    role: ConnectionStateMachine.Role, largestConnectionWindow: UInt64? = nil, largestStreamWindow: UInt64? = nil
  ) {
    self.role = role
    self.largestConnectionWindow = largestConnectionWindow
    self.largestStreamWindow = largestStreamWindow
  }

  // MARK: - What the peer made the side hold

  /// Bytes of messages that wait for their reader, or are only partly there.
  public var heldBytes: Int {
    calls.values.reduce(0) { held, call in
      call.isOver ? held : held + call.assemblingBytes + call.unread.reduce(0) { $0 + $1.bytes }
    }
  }

  /// The calls that are surely open at the side, and those that may be.
  public func isConsistent(with open: [StreamID]) -> Bool {
    let table = Set(open)
    let certain = calls.filter { !$0.value.isOver && !$0.value.isFinishing }.keys
    let possible = calls.filter { !$0.value.isOver }.keys
    return table.isSubset(of: possible) && table.isSuperset(of: certain)
  }

  /// Whether nothing stands against sending a segment with a byte on a call.
  public func canSendData(on id: StreamID) -> Bool {
    guard let call = calls[id] else { return false }
    return call.sent + 10 <= call.sendLimit && sent + 10 <= sendLimit
  }

  /// Whether unread messages of a call explain that the peer may send no further segment on it: a limit is told anew
  /// when it is half a window above the last one. Those of other calls explain nothing.
  public func isWithholding(from id: StreamID) -> Bool {
    2 * (calls[id]?.withheld ?? 0) + 20 >= streamWindow
  }

  /// What unread and unfinished messages may take at most.
  public func mostHeldBytes(assemblyBytes: UInt64) -> Int {
    let open = UInt64(calls.values.count { !$0.isOver })
    return Int(open * streamWindow + (largestConnectionWindow ?? connectionWindow) + assemblyBytes)
  }

  /// Server: the calls that keep their caller from opening others: not over, or their handlers run.
  public var occupiedStreams: Int {
    calls.values.count { !$0.isOver || !$0.hasHandlerEnded }
  }

  /// PINGs of the side whose PONG has not come.
  public private(set) var pingsUnderWay: [UInt64] = []

  // MARK: - What the layer above did

  /// Client: the layer above opened a call; its OPEN will be sent.
  public mutating func opened(_ id: StreamID) throws(Breach) {
    try require(id == lastOpened + 1, "call \(id) was opened after call \(lastOpened)")
    try require(id <= openLimit, "call \(id) was opened, and the limit is \(openLimit)")
    try require(!hasReceivedDrain, "call \(id) was opened after DRAIN")
    lastOpened = id
    calls[id] = Call(sendLimit: streamSendLimit, granted: streamWindow)
  }

  /// The oldest message of a call was taken. Answers with its cost, nil when there is none.
  public mutating func took(on id: StreamID) -> UInt64? {
    guard let call = calls[id], !call.isOver, !call.unread.isEmpty else { return nil }
    return calls[id]?.unread.removeFirst().cost
  }

  /// The layer above ended a call at once.
  public mutating func ended(_ id: StreamID) {
    calls[id]?.isOver = true
  }

  /// Server: the layer above asked for a call's end behind its messages.
  public mutating func finishing(_ id: StreamID) {
    calls[id]?.isFinishing = true
  }

  /// Server: a call's handler returned.
  public mutating func handlerEnded(of id: StreamID) {
    calls[id]?.hasHandlerEnded = true
  }

  /// Server: the layer above asked for the drain; DRAIN will be sent.
  public mutating func draining() {
    isDraining = true
  }

  // MARK: - What the side sends

  /// What the side produced at a time, in order.
  public mutating func sent(_ frames: [Frame]) throws(Breach) {
    var credits = 0
    for frame in frames {
      try sent(frame)
      if case .credit = frame { credits += 1 }
    }
    try require(credits <= calls.count + 1, "\(credits) CREDITs at a time for \(calls.count) calls")
    try require(
      hasSentClose || hasReceivedClose || granted + 1 >= received + connectionWindow / 2,
      "the connection has credit for \(granted) bytes, of which \(received) were used: less than half a window is left")
    forgetCallsThatAreOver()
  }

  /// What waited to be sent for a call when it ended is sent now.
  private mutating func forgetCallsThatAreOver() {
    for (id, call) in calls where call.isOver && (role == .client || call.hasHandlerEnded) {
      calls[id] = nil
      forgotten += 1
    }
  }

  private mutating func sent(_ frame: Frame) throws(Breach) {
    try require(!hasSentClose, "after CLOSE comes \(frame)")
    try require(!hasReceivedClose, "after the peer's CLOSE comes \(frame)")
    if case .hello(let hello) = frame {
      try require(!hasSentHello, "a second HELLO")
      hasSentHello = true
      (connectionWindow, granted) = (hello.connectionWindow, hello.connectionWindow)
      (concurrentStreams, grantedStreams) = (hello.streams, hello.streams)
      streamWindow = hello.streamWindow
      for id in calls.keys { calls[id]?.granted = streamWindow }
      return
    }
    try require(hasSentHello, "\(frame) comes before HELLO")
    switch frame {
    case .hello: return
    case .ping(let number): pingsUnderWay.append(number)
    case .open(let id, let open):
      try require(role == .client, "a server sends OPEN")
      try require(id == lastOpenSent + 1 && id <= lastOpened, "OPEN \(id) follows OPEN \(lastOpenSent)")
      try require(!hasSentDrainAck, "OPEN \(id) follows DRAIN_ACK")
      lastOpenSent = id
      calls[id]?.hasSentEndStream = open.endStream
    case .data(let id, let bytes, let flags): try sentData(bytes.readableBytes, flags, on: id)
    case .response(let id, _), .status(let id, _): try sentEnd(frame, of: id)
    case .metadata(let id, _):
      let call = try call(id, frame)
      try require(role == .server && !call.hasSentMetadata && !call.hasSentData, "METADATA of call \(id) is late")
      calls[id]?.hasSentMetadata = true
    case .reset(let id, _):
      try require(try !call(id, frame).hasSentEnd, "RESET of call \(id), which has ended")
      calls[id]?.hasSentEnd = true
      calls[id]?.isOver = true
    case .credit(let id, let limit): try sentCredit(limit, on: id)
    case .streams(let limit): try sentStreams(limit)
    case .pong(let number):
      try require(unansweredPings.first == number, "PONG \(number), but PINGs \(unansweredPings) are unanswered")
      unansweredPings.removeFirst()
    case .drain:
      try require(isDraining && !hasSentDrain, "a DRAIN too many")
      hasSentDrain = true
    case .drainAck:
      try require(role == .client && hasReceivedDrain && !hasSentDrainAck, "a DRAIN_ACK too many")
      try require(lastOpenSent == lastOpened, "DRAIN_ACK is ahead of OPEN \(lastOpened)")
      hasSentDrainAck = true
    case .close: hasSentClose = true
    case .credential: try require(role == .client, "a server sends CREDENTIAL")
    case .ignored(let type): throw Breach(description: "a frame of type \(type) was sent")
    }
  }

  private mutating func sentData(_ length: Int, _ flags: DataFlags, on id: StreamID) throws(Breach) {
    var call = try call(id, "DATA")
    try require(!call.isOver && !call.hasSentEnd, "DATA on call \(id), which has ended")
    try require(!call.hasSentEndStream, "DATA on call \(id) after END_STREAM")
    try require(role == .server || id <= lastOpenSent, "DATA on call \(id) ahead of its OPEN")
    let endsStream = flags.contains(.endStream)
    try require(!endsStream || role == .client, "a server sends END_STREAM")
    let cost = Self.cost(length, flags)
    call.sent += cost
    sent += cost
    try require(call.sent <= call.sendLimit, "call \(id) sent \(call.sent) of \(call.sendLimit) bytes")
    try require(sent <= sendLimit, "the connection sent \(sent) of \(sendLimit) bytes")
    let isBareEnd = length == 0 && flags == .endStream
    try require(
      !endsStream || flags.contains(.endMessage) || (isBareEnd && !call.isSendingMessage),
      "END_STREAM within a message of call \(id)")
    call.isSendingMessage = !flags.contains(.endMessage) && !isBareEnd
    call.hasSentData = true
    call.hasSentEndStream = endsStream
    calls[id] = call
  }

  private mutating func sentEnd(_ frame: Frame, of id: StreamID) throws(Breach) {
    let call = try call(id, frame)
    try require(role == .server, "a client ends call \(id)")
    try require(!call.hasSentEnd, "a second end of call \(id)")
    if case .response = frame { try require(!call.hasSentData, "RESPONSE of call \(id) after DATA") }
    if case .status(_, let status) = frame, status.code == 0 {
      try require(!call.isSendingMessage, "STATUS OK within a message of call \(id)")
    }
    calls[id]?.hasSentEnd = true
    calls[id]?.isOver = true
  }

  private mutating func sentCredit(_ limit: UInt64, on id: StreamID) throws(Breach) {
    guard id != 0 else {
      let most = received + (largestConnectionWindow ?? connectionWindow)
      try require(limit > granted, "CREDIT \(limit) of the connection is not above \(granted)")
      try require(limit <= most, "CREDIT \(limit) of the connection is above \(most)")
      granted = limit
      return
    }
    let call = try call(id, "CREDIT")
    let most = call.received - call.withheld + (largestStreamWindow ?? streamWindow)
    try require(!call.isOver && !call.hasReceivedEndStream, "CREDIT of call \(id), which needs none")
    try require(limit > call.granted, "CREDIT \(limit) of call \(id) is not above \(call.granted)")
    try require(limit <= most, "CREDIT \(limit) of call \(id) is above \(most)")
    calls[id]?.granted = limit
    let shared = largestConnectionWindow ?? connectionWindow
    let others = calls.reduce(0) { $1.key == id || $1.value.isOver ? $0 : $0 + $1.value.beyond(streamWindow) }
    let own = calls[id]?.beyond(streamWindow) ?? 0
    try require(own <= shared - min(others, shared), "call \(id) gets \(own) bytes beyond its window, others \(others)")
  }

  private mutating func sentStreams(_ limit: StreamID) throws(Breach) {
    let over = forgotten + calls.values.count { $0.isOver && $0.hasHandlerEnded }
    let most = Int(concurrentStreams) + over
    try require(role == .server, "a client sends STREAMS")
    try require(limit > grantedStreams, "STREAMS \(limit) is not above \(grantedStreams)")
    try require(Int(limit) <= most, "STREAMS \(limit) is above \(most): \(over) calls are over")
    grantedStreams = limit
  }

  // MARK: - What the side receives

  /// What has to come of a frame that the peer sends now.
  /// - Parameters:
  ///   - frame: What the peer sends.
  ///   - isLive: Whether a call is in the side's table.
  public func verdict(on frame: Frame, isLive: (StreamID) -> Bool) -> Verdict {
    if hasSentClose || hasReceivedClose { return .accepted }
    if case .close = frame { return .accepted }
    guard case .hello(let hello) = frame else {
      return hasReceivedHello ? verdictWhenIntroduced(on: frame, isLive: isLive) : .refused(.protocolError)
    }
    if hasReceivedHello { return .refused(.protocolError) }
    if hello.version != 1 { return .refused(.unsupportedVersion) }
    let isLowered =
      hello.connectionWindow < 1_048_576 || hello.streamWindow < 262_144 || hello.streams < 100
      || hello.messageSize < 4_194_304
    return isLowered ? .refused(.protocolError) : .accepted
  }

  private func verdictWhenIntroduced(on frame: Frame, isLive: (StreamID) -> Bool) -> Verdict {
    switch frame {
    case .open, .drainAck, .credential:
      if role == .client { return .refused(.protocolError) }
    case .response, .status, .metadata, .streams, .drain:
      if role == .server { return .refused(.protocolError) }
    default: break
    }
    switch frame {
    case .open(let id, _):
      if hasReceivedDrainAck || id != lastOpened + 1 { return .refused(.protocolError) }
      return id > grantedStreams ? .refused(.creditExceeded) : .accepted
    case .data(let id, let bytes, let flags):
      let cost = Self.cost(bytes.readableBytes, flags)
      if received + cost > granted { return .refused(.creditExceeded) }
      guard id <= lastOpened else { return .refused(.protocolError) }
      guard isLive(id), let call = calls[id], !call.hasReceivedEndStream else { return .accepted }
      let isViolation = role == .client && flags.contains(.endStream)
      return !isViolation && call.received + cost > call.granted ? .refused(.creditExceeded) : .accepted
    case .response(let id, _), .status(let id, _), .metadata(let id, _), .reset(let id, _):
      return id > lastOpened ? .refused(.protocolError) : .accepted
    case .credit(let id, _): return id > lastOpened ? .refused(.protocolError) : .accepted
    case .drainAck: return !isDraining || hasReceivedDrainAck ? .refused(.protocolError) : .accepted
    default: return .accepted
    }
  }

  /// The side received a frame, and this came of it.
  public mutating func received(_ frame: Frame, _ event: ConnectionEvent) throws(Breach) {
    if hasSentClose || hasReceivedClose { return try require(event == .none, "\(event) after the end") }
    switch frame {
    case .hello(let hello):
      hasReceivedHello = true
      sendLimit = max(sendLimit, hello.connectionWindow)
      streamSendLimit = max(streamSendLimit, hello.streamWindow)
      openLimit = max(openLimit, hello.streams)
      for (id, call) in calls { calls[id]?.sendLimit = max(call.sendLimit, hello.streamWindow) }
    case .open(let id, let open):
      lastOpened = id
      calls[id] = Call(sendLimit: streamSendLimit, granted: streamWindow)
      calls[id]?.hasReceivedEndStream = open.endStream
      try require(event == .opened(id, open), "\(event) came of OPEN \(id)")
    case .data(let id, let bytes, let flags): try receivedData(bytes.readableBytes, flags, on: id, event)
    case .response(let id, _), .status(let id, _):
      switch event {
      case .response, .status: calls[id]?.isOver = true
      default: break
      }
    case .reset(let id, _):
      try require(event == .none || calls[id]?.isOver == false, "\(event) of call \(id), which is over")
      calls[id]?.isOver = true
    case .credit(0, let limit): sendLimit = max(sendLimit, limit)
    case .credit(let id, let limit): if let call = calls[id] { calls[id]?.sendLimit = max(call.sendLimit, limit) }
    case .streams(let limit): openLimit = max(openLimit, limit)
    case .ping(let number): unansweredPings.append(number)
    case .drain: hasReceivedDrain = true
    case .drainAck: hasReceivedDrainAck = true
    case .close: hasReceivedClose = true
    case .pong(let number): if pingsUnderWay.first == number { pingsUnderWay.removeFirst() }
    case .metadata, .credential, .ignored: break
    }
  }

  private mutating func receivedData(
    _ length: Int, _ flags: DataFlags, on id: StreamID, _ event: ConnectionEvent
  ) throws(Breach) {
    let cost = Self.cost(length, flags)
    received += cost
    guard var call = calls[id], !call.isOver, !call.hasReceivedEndStream else {
      if case .message = event { throw Breach(description: "a message on call \(id), which is over") }
      return
    }
    call.received += cost
    call.assemblingCost += cost
    call.assemblingBytes += length
    switch event {
    case .message(let named, let message, let told, let isLast):
      try require(named == id && flags.contains(.endMessage), "a message came of a segment that is not its last")
      try require(message.readableBytes == call.assemblingBytes, "a message of call \(id) has another length")
      try require(told == call.assemblingCost, "a message of call \(id) cost \(call.assemblingCost), not \(told)")
      try require(isLast == flags.contains(.endStream), "END_STREAM of call \(id) is told wrongly")
      call.unread.append((told, call.assemblingBytes))
      (call.assemblingCost, call.assemblingBytes) = (0, 0)
    case .violation: break
    case .requestsEnded: try require(flags == .endStream && length == 0, "the end of call \(id) is told early")
    default: try require(flags.isEmpty || call.isFinishing, "nothing came of DATA with flags on call \(id)")
    }
    call.hasReceivedEndStream = flags.contains(.endStream)
    calls[id] = call
  }

  // MARK: -

  private static func cost(_ length: Int, _ flags: DataFlags) -> UInt64 {
    length == 0 && flags == .endStream ? 0 : UInt64(9 + length)
  }

  private func call(_ id: StreamID, _ what: @autoclosure () -> Any) throws(Breach) -> Call {
    guard let call = calls[id] else { throw Breach(description: "\(what()) of call \(id), which was never opened") }
    return call
  }

  private func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(Breach) {
    if !condition { throw Breach(description: what()) }
  }
}
