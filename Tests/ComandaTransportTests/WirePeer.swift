import ComandaTLS
import Foundation
import NIOCore
import NIOPosix

@testable import ComandaTransport
@testable import ComandaWire

/// The loops of all scripted peers.
private let peerGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

/// The other side of a connection, played by the test, frame by frame.
final class WirePeer: Sendable {
  private let channel: any Channel
  private let frames: Events<Frame>

  fileprivate init(_ channel: any Channel, _ frames: Events<Frame>) {
    self.channel = channel
    self.frames = frames
  }

  /// A client that begins with these frames; it may be in the TLS handshake still.
  static func client(port: Int, sending first: Frame...) async throws -> WirePeer {
    try await client(.tcp(host: "127.0.0.1", port: port), sending: first)
  }

  /// - Parameters:
  ///   - tls: with the sessions to resume, if there are any.
  ///   - ahead: what is sent ahead of TLS.
  private static func client(
    _ socket: ServerListener.Socket, tls: TLSContext? = nil, handshakes: Events<TLSHandshake>? = nil,
    ahead: ByteBuffer = ByteBuffer(), sending first: [Frame]
  ) async throws -> WirePeer {
    let tls = try tls ?? TLSContext(configuration: .client(trust: certificates.get().trust, sessions: nil))
    let frames = Events<Frame>()
    let bootstrap = ClientBootstrap(group: peerGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers(
            BytesAhead(ahead), TLSHandler(context: tls, serverName: "127.0.0.1"),
            FrameReceiver(frames, first: first, handshakes: handshakes))
        }
      }
    let channel =
      switch socket {
      case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
      case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
      }
    return WirePeer(channel, frames)
  }

  /// A client that is introduced, and has got the server's HELLO.
  static func introducedClient(port: Int, ahead: ByteBuffer = ByteBuffer()) async throws -> WirePeer {
    try await introducedClient(.tcp(host: "127.0.0.1", port: port), ahead: ahead)
  }

  /// A client that is introduced by way of a Unix socket.
  static func introducedClient(unix path: String) async throws -> WirePeer {
    try await introducedClient(.unix(path: path))
  }

  private static func introducedClient(
    _ socket: ServerListener.Socket, ahead: ByteBuffer = ByteBuffer()
  ) async throws -> WirePeer {
    let peer = try await client(socket, ahead: ahead, sending: [.hello(Limits.beforeHello)])
    guard case .hello? = await peer.next() else { throw ChannelError.inappropriateOperationForState }
    return peer
  }

  /// Whether a client of this context resumes a session; it takes the server's ticket for the next one.
  static func resumes(port: Int, tls: TLSContext) async throws -> Bool {
    let handshakes = Events<TLSHandshake>()
    let peer = try await client(
      .tcp(host: "127.0.0.1", port: port), tls: tls, handshakes: handshakes,
      sending: [.hello(Limits.beforeHello), .ping(1)])
    while let frame = await peer.next(), frame != .pong(1) {}
    try await peer.close()
    return await handshakes.next()?.isResumed == true
  }

  /// Whether a client that begins with TLS at once is closed without a word.
  static func isRefused(port: Int) async -> Bool {
    guard let peer = try? await client(port: port, sending: .hello(Limits.beforeHello)) else { return true }
    return await peer.next() == nil
  }

  func send(_ frames: Frame...) async throws {
    var bytes = ByteBuffer()
    for frame in frames { FrameEncoder.encode(frame, into: &bytes) }
    try await send(bytes)
  }

  func send(_ frames: [Frame]) async throws {
    try await send(frames.reduce(into: ByteBuffer()) { FrameEncoder.encode($1, into: &$0) })
  }

  func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes).get()
  }

  /// Writes without waiting until it has left: for a peer whose server does not read.
  func push(_ frames: [Frame]) {
    channel.writeAndFlush(frames.reduce(into: ByteBuffer()) { FrameEncoder.encode($1, into: &$0) }, promise: nil)
  }

  /// From now on reads nothing: the socket's buffers fill up.
  func stopReading() async throws {
    try await channel.setOption(.autoRead, value: false).get()
  }

  /// The next frame; nil when the connection is closed.
  func next() async -> Frame? {
    await frames.next()
  }

  /// The next frame that is no CREDIT or STREAMS: those come when they are due.
  func nextOfCall() async -> Frame? {
    while let frame = await next() {
      switch frame {
      case .credit, .streams: continue
      default: return frame
      }
    }
    return nil
  }

  /// Closes properly.
  func close() async throws {
    try await channel.close().get()
  }

  /// Closes as a process does that was killed: with a TCP reset, without close_notify.
  func abort() async throws {
    guard let options = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
    try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.eventLoop.submit {
      try self.channel.pipeline.syncOperations.context(handlerType: TLSHandler.self).close(promise: nil)
    }.get()
  }
}

/// Sends some bytes ahead of all others.
private final class BytesAhead: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let bytes: ByteBuffer

  init(_ bytes: ByteBuffer) {
    self.bytes = bytes
  }

  func channelActive(context: ChannelHandlerContext) {
    if bytes.readableBytes > 0 { context.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
    context.fireChannelActive()
  }
}

/// Turns bytes into frames, and the end of the connection into the end of the frames.
private final class FrameReceiver: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let frames: Events<Frame>
  private let first: [Frame]
  private let handshakes: Events<TLSHandshake>?
  private var buffer = FrameBuffer()

  init(_ frames: Events<Frame>, first: [Frame] = [], handshakes: Events<TLSHandshake>? = nil) {
    self.frames = frames
    self.first = first
    self.handshakes = handshakes
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let completed = event as? TLSHandshakeCompleted { handshakes?.post(completed.handshake) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelActive(context: ChannelHandlerContext) {
    var bytes = ByteBuffer()
    for frame in first { FrameEncoder.encode(frame, into: &bytes) }
    context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    buffer.append(unwrapInboundIn(data))
    while let frame = try? buffer.next() { frames.post(frame) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    frames.finish()
  }
}

/// A server whose connections are played by the test.
final class ScriptedServer: Sendable {
  /// What was agreed on with each client that came.
  let handshakes = Events<TLSHandshake>()
  private let channel: any Channel
  private let peers: Events<WirePeer>

  init() async throws {
    let tls = try TLSContext(configuration: .server(certificates.get().identity), ticketKeys: TicketKeys())
    let handshakes = self.handshakes
    let peers = Events<WirePeer>()
    self.peers = peers
    channel = try await ServerBootstrap(group: peerGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let frames = Events<Frame>()
          try channel.pipeline.syncOperations.addHandlers(
            TLSHandler(context: tls), FrameReceiver(frames, handshakes: handshakes))
          peers.post(WirePeer(channel, frames))
        }
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
  }

  var port: Int {
    channel.localAddress?.port ?? 0
  }

  /// The next connection.
  func accept() async throws -> WirePeer {
    guard let peer = await peers.next() else { throw ChannelError.alreadyClosed }
    return peer
  }

  func close() async throws {
    try await channel.close().get()
  }
}

/// A connection without TLS, for peers that speak something else or nothing.
final class PlainPeer: Sendable {
  private let channel: any Channel

  init(port: Int) async throws {
    channel = try await ClientBootstrap(group: peerGroup).connect(host: "127.0.0.1", port: port).get()
  }

  func send(_ text: String) async throws {
    try await send(ByteBuffer(string: text))
  }

  func send(_ bytes: ByteBuffer) async throws {
    try await channel.writeAndFlush(bytes).get()
  }

  /// Returns when the server has closed the connection.
  func closed() async throws {
    try await channel.closeFuture.get()
  }
}
