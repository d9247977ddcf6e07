import NIOCore
import NIOPosix
import Testing

@testable import ComandaTLS
@testable import ComandaTransport
@testable import ComandaWire

/// Attacks below the frames.
extension Attacks {
  @Suite("TLS")
  struct BelowTheFrames {
    @Test("a flood of KeyUpdates ends the connection before it costs more than a few dozen key derivations")
    func keyUpdates() async throws {
      try await underAttack { scene in
        let peer = try await RenewingPeer(port: scene.port)
        try await peer.shakeHands()
        try await peer.send(.hello(Limits.beforeHello))
        for number in UInt64(0)..<200 where peer.isOpen { try? await peer.send(.ping(number)) }
        #expect(await scene.logged("too many KeyUpdates"))
        try await scene.onlyBystanderIsLeft()
      }
    }
  }
}

/// A client that renews its keys with every record. It belongs to one task.
private final class RenewingPeer {
  private let group = MultiThreadedEventLoopGroup.singleton
  private let engine: TLSEngine
  private let channel: any Channel
  private let arrived: Events<ByteBuffer>

  init(port: Int) async throws {
    let arrived = Events<ByteBuffer>()
    self.arrived = arrived
    engine = try TLSEngine(
      context: TLSContext(configuration: .client(trust: certificates.get().trust, sessions: nil)),
      serverName: "127.0.0.1")
    channel = try await ClientBootstrap(group: group)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(arrived)) }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  func shakeHands() async throws {
    while try engine.handshake() == nil {
      try await flush()
      guard let bytes = await arrived.next() else { throw Unmet("the handshake was refused") }
      engine.receive(ciphertext: bytes)
    }
    engine.keyUsage = KeyUsage(recordLimit: 1)
    try await flush()
  }

  var isOpen: Bool {
    channel.isActive
  }

  func send(_ frame: Frame) async throws {
    try engine.write(frame.bytes)
    try await flush()
  }

  private func flush() async throws {
    if let bytes = engine.takeCiphertext() { try await channel.writeAndFlush(bytes).get() }
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let arrived: Events<ByteBuffer>

    init(_ arrived: Events<ByteBuffer>) {
      self.arrived = arrived
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      arrived.post(unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
      arrived.finish()
    }
  }
}

extension Frame {
  fileprivate var bytes: ByteBuffer {
    var bytes = ByteBuffer()
    FrameEncoder.encode(self, into: &bytes)
    return bytes
  }
}
