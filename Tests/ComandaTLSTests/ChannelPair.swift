import NIOCore
import NIOEmbedded
import Testing

@testable import ComandaTLS

/// A client's and a server's channel, each with a ``TLSHandler`` and a ``Recorder``; the test carries the bytes.
final class ChannelPair {
  let client: EmbeddedChannel
  let server: EmbeddedChannel
  let clientRecord = Recorder()
  let serverRecord = Recorder()

  init(
    client: TLSContext? = nil, server: TLSContext? = nil, serverName: String? = "localhost",
    limits: TLSHandler.Limits = .init()
  ) throws {
    let certificates = try TestCertificates.shared.get()
    let client = try client ?? TLSContext(configuration: .client(trust: certificates.trust, sessions: nil))
    let server = try server ?? TLSContext(configuration: .server(certificates.identity))
    self.client = EmbeddedChannel()
    self.server = EmbeddedChannel()
    try self.client.pipeline.syncOperations.addHandlers(
      TLSHandler(context: client, serverName: serverName, limits: limits), clientRecord)
    try self.server.pipeline.syncOperations.addHandlers(TLSHandler(context: server, limits: limits), serverRecord)
    try self.client.connect(to: SocketAddress(unixDomainSocketPath: "client")).wait()
    try self.server.connect(to: SocketAddress(unixDomainSocketPath: "server")).wait()
  }

  /// A channel that is never closed would keep its handlers for ever.
  deinit {
    for channel in [client, server] {
      _ = try? channel.finish(acceptAlreadyClosed: true)
    }
  }

  /// Two channels whose handshake is complete.
  static func open() throws -> ChannelPair {
    let pair = try ChannelPair()
    try pair.settle()
    return pair
  }

  /// Carries bytes until neither side has any more to say. Errors are left to the recorders.
  func settle() throws {
    var moved = true
    while moved {
      moved = false
      while let bytes = try client.readOutbound(as: ByteBuffer.self) {
        moved = true
        deliver(bytes, to: server)
      }
      while let bytes = try server.readOutbound(as: ByteBuffer.self) {
        moved = true
        deliver(bytes, to: client)
      }
    }
  }

  /// Runs what a channel does only in the loop's next turn, such as becoming inactive.
  func runLoops() {
    client.embeddedEventLoop.run()
    server.embeddedEventLoop.run()
  }

  func deliver(_ bytes: ByteBuffer, to channel: EmbeddedChannel) {
    channel.pipeline.fireChannelRead(bytes)
    channel.pipeline.fireChannelReadComplete()
  }
}

/// Notes what comes up the pipeline, and runs what a test wants to happen in the middle of it.
final class Recorder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private(set) var reads: [[UInt8]] = []
  private(set) var errors: [TLSError] = []
  private(set) var handshake: TLSHandshake?
  private(set) var isInactive = false
  var onRead: ((ChannelHandlerContext, ByteBuffer) -> Void)?
  var onHandshake: ((ChannelHandlerContext) -> Void)?

  var bytes: [UInt8] { reads.flatMap { $0 } }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    reads.append(Array(buffer.readableBytesView))
    onRead?(context, buffer)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSHandshakeCompleted {
      handshake = event.handshake
      onHandshake?(context)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? TLSError {
      errors.append(error)
    } else {
      Issue.record("not a TLS error: \(error)")
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    isInactive = true
  }
}
