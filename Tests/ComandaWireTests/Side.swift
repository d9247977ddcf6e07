import NIOCore

@testable import ComandaWire

/// One side of a connection, and what it sends, as frames: tests read like transcripts.
final class Side {
  var machine: ConnectionStateMachine
  /// The calls whose writers were told to go on.
  private(set) var drained: [StreamID] = []

  /// A side that has sent nothing yet.
  init(_ role: ConnectionStateMachine.Role, limits: Limits = .fixed) {
    machine = ConnectionStateMachine(role: role, limits: limits, software: "test")
  }

  /// A side whose HELLO is away, and that got the peer's.
  static func introduced(
    _ role: ConnectionStateMachine.Role, limits: Limits = .fixed, peer: Hello = .generous
  ) throws -> Side {
    let side = Side(role, limits: limits)
    _ = try side.sent()
    _ = try side.receive(.hello(peer))
    return side
  }

  /// A server with a call, opened by this frame.
  static func serving(_ open: Open = .streaming, limits: Limits = .fixed, peer: Hello = .generous) throws -> Side {
    let side = try introduced(.server, limits: limits, peer: peer)
    _ = try side.receive(.open(1, open))
    return side
  }

  /// A client with a call that streams requests; its OPEN is away.
  static func calling(limits: Limits = .fixed, peer: Hello = .generous) throws -> Side {
    let side = try introduced(.client, limits: limits, peer: peer)
    _ = side.open()
    _ = try side.sent()
    return side
  }

  func receive(_ frame: Frame) throws(WireError) -> ConnectionEvent {
    try machine.receive(frame)
  }

  /// Opens a call.
  func open(_ method: String = "s/m", message: ByteBuffer? = nil, isLast: Bool = false) -> StreamID? {
    machine.open(method: method, timeoutMilliseconds: nil, metadata: [], message: message, isLast: isLast)
  }

  // What #expect can read: it takes no noncopyable value.
  var hasOutgoing: Bool { machine.hasOutgoing }
  var openStreams: Int { machine.openStreams }
  var openStreamIDs: [StreamID] { machine.openStreamIDs }
  var isDrained: Bool { machine.isDrained }
  var canOpen: Bool { machine.canOpen }
  var waitingToSend: Int { machine.waitingToSend }
  var heldBytes: Int { machine.heldBytes }
  var greediestCall: StreamID? { machine.callsByHeldBytes.last }
  var peerMessageSize: UInt64 { machine.peerMessageSize }

  func isBackedUp(_ id: StreamID) -> Bool {
    machine.isBackedUp(id)
  }

  /// Takes what there is to send, once.
  func sent(budget: Int = 1 << 30) throws -> [Frame] {
    var bytes = ByteBuffer()
    machine.takeOutgoing(budget: budget, into: &bytes) { drained.append($0) }
    var frames: [Frame] = []
    while let frame = try FrameDecoder.decode(&bytes) { frames.append(frame) }
    return frames
  }
}

extension Hello {
  /// A peer that never makes a test wait for credit.
  static let generous = Hello(
    connectionWindow: 1 << 40, streamWindow: 1 << 40, streams: 1 << 20, messageSize: 1 << 40, software: "peer")
}

extension Open {
  /// A call whose caller streams.
  static let streaming = Open(method: "s/m")
  /// A unary call.
  static let unary = Open(method: "s/m", message: ByteBuffer(bytes: [1]), endStream: true)
}

extension Frame {
  /// The call, the length and the flags of a DATA frame.
  var segment: Segment? {
    if case .data(let id, let bytes, let flags) = self {
      Segment(call: id, bytes: bytes.readableBytes, flags: flags)
    } else {
      nil
    }
  }

  struct Segment: Equatable {
    var call: StreamID
    var bytes: Int
    var flags: DataFlags = []
  }
}

extension [Frame] {
  /// The bytes of messages that left on a call, or on all.
  func dataBytes(on id: StreamID? = nil) -> Int {
    compactMap(\.segment).filter { id == nil || $0.call == id }.reduce(0) { $0 + $1.bytes }
  }

  /// What the DATA frames cost that left.
  func dataCost() -> Int {
    compactMap(\.segment).reduce(0) { $0 + 9 + $1.bytes }
  }

  /// The last CREDIT of a stream, or of the connection.
  func credit(_ id: StreamID) -> UInt64? {
    compactMap { frame in
      if case .credit(id, let limit) = frame { limit } else { nil }
    }.last
  }
}

/// The code of the violation that a body ends with.
func violation(_ body: () throws -> Void) -> CloseCode? {
  do {
    try body()
    return nil
  } catch {
    return (error as? WireError)?.code
  }
}

extension Limits {
  /// The defaults, with windows that do not grow: no probes among the frames.
  static var fixed: Limits {
    var limits = Limits()
    limits.maximumConnectionWindow = 0
    limits.maximumStreamWindow = 0
    return limits
  }
}
