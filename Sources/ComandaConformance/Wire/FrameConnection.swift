import ComandaTLS
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// One connection of the suite, frame by frame: it sends what it is told to, right or wrong, and keeps what comes.
///
/// Frames wait in a queue for each stream. PINGs are answered as they come. Safe to use from any thread.
final class FrameConnection: Sendable {
  /// How a connection ended.
  enum End: Sendable, Equatable, CustomStringConvertible {
    /// With `close_notify`, or without TLS.
    case properly
    /// Without `close_notify`.
    case truncated
    /// The peer ended the handshake.
    case refused(String)
    /// In another way.
    case failed(String)

    var description: String {
      switch self {
      case .properly: "the connection ended"
      case .truncated: "the connection ended without close_notify"
      case .refused(let reason): "the handshake was refused (\(reason))"
      case .failed(let reason): "the connection failed (\(reason))"
      }
    }
  }

  /// What has come so far and was not looked at, and what the peer granted.
  struct Inbox {
    var queues: [UInt32: [WireFrame]] = [:]
    var bytes = Data()
    var end: End?
    /// The rule that the peer broke.
    var violation: String?
    /// What the suite may send, and what it sent.
    var connectionLimit: UInt64 = 1_048_576
    var connectionSent: UInt64 = 0
    var streamWindow: UInt64 = 262_144
    var streamLimits: [UInt32: UInt64] = [:]
    var streamSent: [UInt32: UInt64] = [:]
    var streams: UInt64 = 100
    /// The peer's HELLO; nil until it is there.
    var hello: WireFrame?
    /// The calls that DATA came on, one entry a frame that costs credit.
    var dataOrder: [UInt32] = []
    /// The calls whose END_STREAM came.
    var endedStreams: Set<UInt32> = []

    fileprivate var referee: Referee
    fileprivate var changes = 0
    fileprivate var waiters: [CheckedContinuation<Void, Never>] = []

    func limit(ofStream stream: UInt32) -> UInt64 {
      max(streamWindow, streamLimits[stream] ?? 0)
    }

    /// What may be sent on a call, and on the connection, before more credit comes.
    func room(onStream stream: UInt32) -> (call: UInt64, connection: UInt64) {
      let (limit, sent) = (limit(ofStream: stream), streamSent[stream] ?? 0)
      return (limit - min(sent, limit), connectionLimit - min(connectionSent, connectionLimit))
    }
  }

  private let inbox: Mutex<Inbox>
  private let channel = Mutex<(any Channel)?>(nil)
  private let isFramed: Bool

  /// A connection to a peer of this role; without frames it is for raw bytes.
  init(peer: Referee.Role, isFramed: Bool = true) {
    self.inbox = Mutex(Inbox(referee: Referee(of: peer)))
    self.isFramed = isFramed
  }

  // MARK: - Making it

  /// Connects; the handshake goes on by itself, and its failure is an end like any other.
  static func connect(
    host: String, port: Int, tls: TLSContext?, serverName: String, timeout: Duration
  ) async throws -> FrameConnection {
    let connection = FrameConnection(peer: .server, isFramed: tls != nil)
    _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(TimeAmount(timeout))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try connection.addHandlers(to: channel, tls, serverName: serverName) }
      }
      .connect(host: host, port: port)
      .get()
    return connection
  }

  /// Puts the connection behind a channel; on its loop.
  func addHandlers(to channel: any Channel, _ tls: TLSContext?, serverName: String?) throws {
    self.channel.withLock { $0 = channel }
    if let tls {
      var limits = TLSHandler.Limits()
      limits.handshakeTime = .seconds(30)
      try channel.pipeline.syncOperations.addHandler(TLSHandler(context: tls, serverName: serverName, limits: limits))
    }
    try channel.pipeline.syncOperations.addHandler(Receiver(self))
  }

  // MARK: - Sending

  /// Writes bytes; what they are as frames is noted.
  func send(_ bytes: Data) async {
    note(bytes)
    await write(bytes)
  }

  /// Writes bytes as they are, for instance a part of a frame that was noted.
  func write(_ bytes: Data) async {
    let channel = self.channel.withLock { $0 }
    // Whoever writes to a connection that has ended learns it from what he expects next.
    try? await channel?.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// Notes what is sent, without sending it.
  func note(_ bytes: Data) {
    inbox.withLock { inbox in
      var rest = bytes
      while let frame = try? WireFrame.take(from: &rest) {
        inbox.referee.suiteSent(frame)
        inbox.connectionSent += frame.cost
        inbox.streamSent[frame.stream, default: 0] += frame.cost
      }
    }
  }

  /// Ends the connection properly.
  func close() async {
    let channel = self.channel.withLock { $0 }
    try? await channel?.close()
  }

  /// Ends the connection without `close_notify`: by a FIN, or by a RST.
  func cut(reset: Bool) async {
    guard let channel = self.channel.withLock({ $0 }) else { return }
    if reset, let options = channel as? any SocketOptionProvider {
      try? await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    }
    // From the TLS handler on: it would send close_notify first.
    try? await channel.eventLoop.submit {
      let promise = channel.eventLoop.makePromise(of: Void.self)
      if let tls = try? channel.pipeline.syncOperations.context(handlerType: TLSHandler.self) {
        tls.close(promise: promise)
      } else {
        channel.close(promise: promise)
      }
      return promise.futureResult
    }.flatMap { $0 }.get()
  }

  // MARK: - Looking at what came

  /// Waits until something can be taken out of what came.
  /// - Returns: what `take` gave; nil when the time was up.
  func wait<Value>(
    until deadline: ContinuousClock.Instant, _ take: (inout Inbox) throws -> Value?
  ) async throws -> Value? {
    while true {
      var changes = 0
      let value = try inbox.withLock { inbox throws in
        changes = inbox.changes
        return try take(&inbox)
      }
      if let value { return value }
      let left = deadline - .now
      guard left > .zero, let loop = channel.withLock({ $0?.eventLoop }) else { return nil }
      let timer = loop.scheduleTask(in: TimeAmount(left)) { self.wake() }
      await withCheckedContinuation { continuation in
        let isLate = inbox.withLock { inbox in
          guard inbox.changes == changes else { return true }
          inbox.waiters.append(continuation)
          return false
        }
        if isLate { continuation.resume() }
      }
      timer.cancel()
    }
  }

  /// Looks at what came.
  func look<Value: Sendable>(_ body: (inout Inbox) throws -> Value) rethrows -> Value {
    try inbox.withLock { inbox throws in try body(&inbox) }
  }

  private func wake() {
    let waiters = inbox.withLock { inbox in
      inbox.changes += 1
      defer { inbox.waiters = [] }
      return inbox.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  // MARK: - Receiving

  /// Takes a frame; returns the answer that it has at once.
  private func received(_ frame: WireFrame) -> Data? {
    inbox.withLock { inbox in
      if let violation = inbox.referee.violation(of: frame), inbox.violation == nil { inbox.violation = violation }
      inbox.queues[frame.stream, default: []].append(frame)
      if frame.isSet("endStream") { inbox.endedStreams.insert(frame.stream) }
      switch frame.name {
      case "DATA" where frame.cost > 0: inbox.dataOrder.append(frame.stream)
      case "HELLO":
        if inbox.hello == nil { inbox.hello = frame }
        inbox.connectionLimit = max(inbox.connectionLimit, frame.number("connectionWindow"))
        inbox.streamWindow = max(inbox.streamWindow, frame.number("streamWindow"))
        inbox.streams = max(inbox.streams, frame.number("streams"))
      case "CREDIT" where frame.stream == 0:
        inbox.connectionLimit = max(inbox.connectionLimit, frame.number("limit"))
      case "CREDIT":
        let limit = inbox.streamLimits[frame.stream] ?? 0
        inbox.streamLimits[frame.stream] = max(limit, frame.number("limit"))
      case "STREAMS": inbox.streams = max(inbox.streams, frame.number("limit"))
      case "PING" where inbox.referee.hasSuiteIntroduced:
        return FrameWriter.integer(8 << 8 | 11, 4) + FrameWriter.integer(0, 5)
          + FrameWriter.integer(frame.number("number"), 8)
      default: break
      }
      return nil
    }
  }

  private func received(_ bytes: Data) {
    inbox.withLock { $0.bytes += bytes }
  }

  private func received(_ malformed: MalformedFrame) {
    inbox.withLock { if $0.violation == nil { $0.violation = "\(malformed)" } }
  }

  private func ended(_ end: End) {
    inbox.withLock { if $0.end == nil { $0.end = end } }
    wake()
  }

  /// Turns bytes into frames; confined to the channel's loop.
  private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connection: FrameConnection
    private var bytes = Data()
    private var isMalformed = false

    init(_ connection: FrameConnection) {
      self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let buffer = unwrapInboundIn(data)
      if connection.isFramed {
        bytes.append(contentsOf: buffer.readableBytesView)
        takeFrames(context)
        // What is left of a slice keeps all that was taken off it.
        bytes = Data(bytes)
      } else {
        connection.received(Data(buffer.readableBytesView))
      }
      connection.wake()
    }

    private func takeFrames(_ context: ChannelHandlerContext) {
      do throws(MalformedFrame) {
        while !isMalformed, let frame = try WireFrame.take(from: &bytes) {
          guard let answer = connection.received(frame) else { continue }
          context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        }
      } catch {
        isMalformed = true
        connection.received(error)
      }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      connection.ended(Self.end(error))
      context.close(promise: nil)
    }

    private static func end(_ error: any Error) -> End {
      switch error as? TLSError {
      case .truncated: .truncated
      case .refusedByPeer, .closedDuringHandshake: .refused("\(error)")
      default: (error as? IOError)?.errnoCode == ECONNRESET ? .truncated : .failed("\(error)")
      }
    }

    func channelInactive(context: ChannelHandlerContext) {
      connection.ended(.properly)
      context.fireChannelInactive()
    }
  }
}
