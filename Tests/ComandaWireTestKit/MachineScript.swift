import ComandaWire
import NIOCore

/// An input as a script for a connection's machine: frames of a peer that knows no rules, between them what a correct
/// layer above may do. After each step the ledger has to agree with what the machine did.
///
/// A step is a byte: from 128 on a frame (its low four bits are the type, 0 stands for raw bytes), below an operation.
struct MachineScript: ~Copyable {
  private let role: ConnectionStateMachine.Role
  private let limits: Limits
  private var machine: ConnectionStateMachine
  private var ledger: ConnectionLedger
  private var input: FuzzInput
  private var arrived = FrameBuffer()
  /// Calls whose handlers run.
  private var handlers: Set<StreamID> = []
  /// Calls whose requests the layer above has ended: it sends nothing more on them.
  private var ended: Set<StreamID> = []
  private var isOver = false
  private var steps = 0
  private var now = NIODeadline.uptimeNanoseconds(0)

  static func run(_ role: ConnectionStateMachine.Role, _ input: ByteBuffer) throws {
    var script = MachineScript(role, input)
    try script.run()
  }

  private init(_ role: ConnectionStateMachine.Role, _ input: ByteBuffer) {
    self.role = role
    var input = FuzzInput(input)
    var limits = Limits()
    let first = input.byte() ?? 0
    limits.connectionWindow = first & 1 == 0 ? 1 << 20 : 4 << 20
    limits.streamWindow = first & 2 == 0 ? 256 << 10 : 1 << 20
    limits.concurrentStreams = 100
    limits.assemblyBytes = first & 4 == 0 ? 64 << 10 : 64 << 20
    limits.abusePoints = first & 16 == 0 ? 10_000 : 30
    if first & 32 == 0 {
      limits.maximumConnectionWindow = 0
      limits.maximumStreamWindow = 0
    }
    self.limits = limits
    self.input = input
    machine = ConnectionStateMachine(role: role, limits: limits, software: "fuzz")
    ledger = ConnectionLedger(
      role: role, largestConnectionWindow: limits.largestConnectionWindow,
      largestStreamWindow: limits.largestStreamWindow)
    if first & 8 == 0 { arrived.append(Self.bytes(of: .hello(Limits.beforeHello))) }
  }

  private mutating func run() throws {
    try take(budget: Self.everything)
    try receiveArrived()
    while !isOver, let step = input.byte() {
      steps += 1
      if step & 0x80 != 0 {
        try frame(step)
      } else {
        try operation(step)
      }
      try check()
    }
    try take(budget: Self.everything)
    steps = 0
    try check()
  }

  /// What the peer can make the side hold has a bound.
  private borrowing func check() throws {
    let open = machine.openStreamIDs
    try Finding.require(open.count == machine.openStreams, "the table disagrees with itself")
    if steps.isMultiple(of: 16) {
      try Finding.require(isOver || ledger.isConsistent(with: open), "the table has other calls: \(open)")
    }
    try Finding.require(
      role == .client || open.count <= Int(limits.concurrentStreams), "\(open.count) calls are open")
    let most = ledger.mostHeldBytes(assemblyBytes: limits.assemblyBytes) + 16_384
    try Finding.require(ledger.heldBytes <= most, "\(ledger.heldBytes) bytes are held")
  }

  // MARK: - The peer

  private mutating func frame(_ step: UInt8) throws {
    let type = step & 0x0f
    guard type != 0 else {
      arrived.append(input.raw(Int(input.byte() ?? 0)))
      return try receiveArrived()
    }
    guard let frame = nextFrame(type, flags: step >> 4 & 3) else { return }
    arrived.append(Self.bytes(of: frame))
    try receiveArrived()
  }

  private mutating func nextFrame(_ type: UInt8, flags: UInt8) -> Frame? {
    switch type {
    case 1:
      guard let connection = input.wide(), let stream = input.wide(), let streams = input.byte() else { return nil }
      return .hello(
        Hello(
          version: flags == 3 ? 2 : 1, connectionWindow: connection, streamWindow: stream,
          streams: StreamID(streams) << 2, messageSize: flags == 1 ? 1 : 4 << 20, software: "peer"))
    case 9: return input.wide().map { .streams(limit: StreamID(truncatingIfNeeded: $0) & 0x7fff_ffff) }
    case 10: return input.wide().map { .ping($0) }
    case 11: return input.wide().map { .pong($0) }
    case 12: return .drain
    case 13: return .drainAck
    case 14: return .close(.done, message: "")
    case 15: return flags == 0 ? .credential("token") : .ignored(type: 128 + flags)
    default: break
    }
    guard let id = input.byte().map(StreamID.init) else { return nil }
    switch type {
    case 2:
      let message = flags & 2 == 0 ? nil : input.length().map(Self.message)
      return .open(max(1, id), Open(method: "s/m", message: message, endStream: flags & 1 != 0))
    case 3: return input.length().map { .data(max(1, id), Self.message($0), flags: DataFlags(rawValue: flags)) }
    case 4: return input.length().map { .response(max(1, id), Self.message($0)) }
    case 5: return .status(max(1, id), Status(code: flags))
    case 6: return .metadata(max(1, id), [])
    case 7: return .reset(max(1, id), ResetCode(rawValue: UInt32(flags)))
    default: return input.wide().map { .credit(id, limit: $0) }
    }
  }

  private mutating func receiveArrived() throws {
    while !isOver {
      let frame: Frame?
      do throws(WireError) {
        frame = try arrived.next()
      } catch {
        try Finding.require(error.code == .malformedFrame, "the decoder says \(error)")
        return try close(error.code, message: error.message)
      }
      guard let frame else { return }
      try receive(frame)
    }
  }

  private mutating func receive(_ frame: Frame) throws {
    let live = Set(machine.openStreamIDs)
    let verdict = ledger.verdict(on: frame) { live.contains($0) }
    let outcome: Result<ConnectionEvent, WireError>
    do throws(WireError) {
      outcome = .success(try machine.receive(frame))
    } catch {
      outcome = .failure(error)
    }
    switch outcome {
    case .success(let event):
      try Finding.require(verdict == .accepted, "\(event) came of \(frame), which should be \(verdict)")
      try ledger.received(frame, event)
      try handle(event)
    case .failure(let error):
      // How much load is excessive is the machine's own policy; everything else is the specification's.
      try Finding.require(
        error.code == .excessiveLoad || verdict == .refused(error.code),
        "\(error) came of \(frame), which should be \(verdict)")
      try close(error.code, message: error.message)
    }
  }

  private mutating func handle(_ event: ConnectionEvent) throws {
    switch event {
    case .opened(let id, _): handlers.insert(id)
    case .violation(let id, _):
      if role == .server {
        machine.finish(Status(code: 13), on: id, atOnce: true)
      } else {
        machine.reset(id, .protocolError)
      }
      ledger.ended(id)
    case .closed: isOver = true
    default: break
    }
  }

  /// Ends the connection as a shell does: CLOSE is the last thing that leaves.
  private mutating func close(_ code: CloseCode, message: String) throws {
    machine.close(code, message: message)
    try take(budget: 1)
    isOver = true
    try Finding.require(!machine.hasOutgoing && machine.openStreams == 0, "something is left after CLOSE")
  }

  // MARK: - The layer above

  private mutating func operation(_ step: UInt8) throws {
    switch step % 13 {
    case 0: try send()
    case 1: try take(budget: Int(input.byte() ?? 255) << 12)
    case 2: try took()
    case 3: try endAtOnce()
    case 4: machine.ping(UInt64(step))
    case 5: if input.byte() == 0 { try close(.done, message: "") }
    case 12: try wait()
    default:
      if role == .server {
        try operationOfServer(step % 13)
      } else {
        try operationOfClient(step % 13)
      }
    }
  }

  private mutating func operationOfServer(_ operation: UInt8) throws {
    if operation == 11 {
      ledger.draining()
      return machine.drain()
    }
    guard let id = input.byte().map(StreamID.init) else { return }
    switch operation {
    case 6:
      machine.respond(Self.message(input.length() ?? 0), on: id)
      ledger.finishing(id)
    case 7:
      machine.finish(Status(code: 0), on: id)
      ledger.finishing(id)
    case 8: machine.sendMetadata([HeaderField(key: "k", value: "v")], on: id)
    default:
      guard handlers.remove(id) != nil else { return }
      machine.handlerEnded(of: id)
      ledger.handlerEnded(of: id)
    }
  }

  private mutating func operationOfClient(_ operation: UInt8) throws {
    switch operation {
    case 6, 7, 8:
      let message = operation == 6 ? nil : input.length().map(Self.message)
      let id = machine.open(
        method: "s/m", timeoutMilliseconds: 9, metadata: [], message: message, isLast: operation == 8)
      guard let id else { return }
      try ledger.opened(id)
      if operation == 8 { ended.insert(id) }
    case 9: machine.sendCredential("token")
    default:
      guard let id = input.byte().map(StreamID.init) else { return }
      machine.endRequests(on: id)
      ended.insert(id)
    }
  }

  /// A layer above that obeys back pressure: it sends a large or a small message, unless much waits already.
  private mutating func send() throws {
    guard let id = input.byte().map(StreamID.init), let length = input.length() else { return }
    guard !ended.contains(id), !machine.isBackedUp(id) else { return }
    machine.send(Self.message(length > 16_000 ? 40 * length : length), on: id)
  }

  private mutating func took() throws {
    guard let id = input.byte().map(StreamID.init), let cost = ledger.took(on: id) else { return }
    machine.took(cost, on: id)
  }

  private mutating func endAtOnce() throws {
    guard let id = input.byte().map(StreamID.init) else { return }
    if role == .server, id & 1 == 0 {
      machine.finish(Status(code: 4), on: id, atOnce: true)
    } else {
      machine.reset(id, .cancelled)
    }
    ledger.ended(id)
  }

  /// Time passes; what then counts as stalled has to be open.
  private mutating func wait() throws {
    now = now + .milliseconds(Int64(input.byte() ?? 0) << 6)
    machine.advance(to: now)
    let open = Set(machine.openStreamIDs)
    let stalled = machine.stalledCalls(longerThan: .seconds(5))
    try Finding.require(open.isSuperset(of: stalled), "calls \(stalled) are stalled, open are \(open)")
  }

  /// Takes what the machine wants to send; it must be whole frames that the ledger allows.
  private mutating func take(budget: Int) throws {
    let hadOutgoing = machine.hasOutgoing
    var bytes = ByteBuffer()
    machine.takeOutgoing(budget: budget, into: &bytes) { _ in }
    try Finding.require(hadOutgoing || bytes.readableBytes == 0, "nothing was announced, and something left")
    var frames: [Frame] = []
    while let frame = try FrameDecoder.decode(&bytes) { frames.append(frame) }
    try Finding.require(bytes.readableBytes == 0, "the last frame is not whole")
    try ledger.sent(frames)
    guard budget == Self.everything else { return }
    for id in machine.openStreamIDs where machine.isBackedUp(id) {
      try Finding.require(!ledger.canSendData(on: id), "call \(id) has much to send and credit, and does not send")
    }
  }

  // MARK: - Bytes

  private static let everything = 1 << 40
  private static let filling = ByteBuffer(repeating: 7, count: 1 << 20)

  private static func message(_ length: Int) -> ByteBuffer {
    filling.getSlice(at: 0, length: min(length, 1 << 20)) ?? ByteBuffer()
  }

  private static func bytes(of frame: Frame) -> ByteBuffer {
    var bytes = ByteBuffer()
    FrameEncoder.encode(frame, into: &bytes)
    return bytes
  }
}

extension Limits {
  /// How large the window of the connection can become.
  public var largestConnectionWindow: UInt64 { max(connectionWindow, maximumConnectionWindow) }
  /// The same for a call.
  public var largestStreamWindow: UInt64 { max(streamWindow, maximumStreamWindow) }
}
