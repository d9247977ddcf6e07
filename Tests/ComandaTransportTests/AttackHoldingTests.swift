import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

/// Peers that make a server hold memory, tasks or connections, and do nothing more.
extension Attacks {
  @Suite("Holding on")
  struct Holding {
    /// One time of a test instead of minutes. The others stay: on a busy machine a peer needs them to get to its attack.
    private static func impatient(_ timeout: WritableKeyPath<ServerSettings, TimeAmount>) -> ServerSettings {
      var settings = ServerSettings.quick
      settings[keyPath: timeout] = .milliseconds(1_500)
      settings.housekeepingInterval = .milliseconds(50)
      return settings
    }

    @Test("a zero window with many streams (CVE-2019-9517): calls that nobody reads are reset, with their memory")
    func zeroWindow() async throws {
      let count: StreamID = 200
      // What may wait in each call: 256 KiB and a message of 64 KiB.
      try await underAttack(.pour, settings: Self.impatient(\.stallTimeout), memory: 128 << 20) { scene in
        let peer = try await scene.peer()
        let open = Open(method: MethodDescriptor.pour.path, message: ByteBuffer(), endStream: true)
        try await peer.send((1...count).map { .open($0, open) })
        var stalled = 0
        while stalled < count {
          guard let frame = await peer.next() else { throw Unmet("the connection was closed") }
          if case .reset(_, let code) = frame {
            #expect(code == .stalled)
            stalled += 1
          }
        }
        #expect(await scene.logged("its messages are not read"))
        try await peer.close()
      }
    }

    @Test("a client that never reads its socket is cut, and what waited for it is bounded")
    func neverReading() async throws {
      try await underAttack(.large, .pour, settings: Self.impatient(\.stallTimeout)) { scene in
        let unary = Open(method: MethodDescriptor.large.path, message: ByteBuffer(), endStream: true)
        let pouring = Open(method: MethodDescriptor.pour.path, message: ByteBuffer(), endStream: true)
        for _ in 0..<8 {
          let peer = try await scene.peer()
          try await peer.stopReading()
          peer.push((1...250).map { .open($0, $0 <= 240 ? unary : pouring) })
          peer.push([.credit(0, limit: 1 << 40)] + (241...250).map { .credit($0, limit: 1 << 40) })
        }
        #expect(await scene.logged("nothing was read for"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("hundreds of sockets that never begin their handshake are closed when their time is up")
    func silentSockets() async throws {
      try await underAttack(settings: Self.impatient(\.handshakeTimeout)) { scene in
        var peers: [PlainPeer] = []
        for _ in 0..<400 { peers.append(try await PlainPeer(port: scene.port)) }
        for peer in peers { try await peer.closed() }
        #expect(await scene.logged("handshake"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("hundreds of handshakes that stop in the middle are closed when their time is up")
    func halfHandshakes() async throws {
      try await underAttack(settings: Self.impatient(\.handshakeTimeout)) { scene in
        var peers: [PlainPeer] = []
        for _ in 0..<400 {
          let peer = try await PlainPeer(port: scene.port)
          // The beginning of a record of 512 bytes with a ClientHello.
          try await peer.send(ByteBuffer(bytes: [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
          peers.append(peer)
        }
        for peer in peers { try await peer.closed() }
        #expect(await scene.logged("handshake"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("hundreds of connections without a first frame are cut")
    func slowFirstFrame() async throws {
      // Three hundred handshakes take their time on a busy machine, and the bystander's calls wait behind them.
      try await underAttack(settings: Self.impatient(\.firstFrameTimeout), p99: .seconds(2)) { scene in
        var peers: [WirePeer] = []
        for _ in 0..<300 { peers.append(try await WirePeer.client(port: scene.port)) }
        for peer in peers { while await peer.next() != nil {} }
        #expect(await scene.logged("no HELLO came within"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("a peer that has vanished, and acknowledges nothing, is asked once and cut")
    func halfOpen() async throws {
      var settings = Self.impatient(\.keepaliveTimeout)
      settings.keepaliveInterval = .milliseconds(300)
      let running = RunningHandlers()
      try await underAttack(.hang(running), settings: settings) { scene in
        for _ in 0..<50 {
          let peer = try await scene.peer()
          try await peer.stopReading()
          try await peer.send(
            .open(1, Open(method: MethodDescriptor.hang.path, message: ByteBuffer(), endStream: true)))
        }
        #expect(await scene.logged("no PONG came within"))
        try await scene.onlyBystanderIsLeft()
        #expect(running.now == 0)
      }
    }

    @Test("all calls of a connection hang: others do not notice, and one call more costs the connection")
    func streamExhaustion() async throws {
      let running = RunningHandlers()
      try await underAttack(.hang(running)) { scene in
        let open = Open(method: MethodDescriptor.hang.path, message: ByteBuffer(), endStream: true)
        var peers: [WirePeer] = []
        for _ in 0..<10 {
          let peer = try await scene.peer()
          try await peer.send((1...256).map { .open($0, open) })
          peers.append(peer)
        }
        while running.now < 2_560 { try await Task.sleep(for: .milliseconds(5)) }
        for peer in peers {
          try await peer.send(.open(257, open))
          guard case .close(.creditExceeded, _)? = await peer.nextOfCall() else { throw Unmet("no CLOSE") }
        }
        #expect(await scene.logged("CREDIT_EXCEEDED"))
        try await scene.onlyBystanderIsLeft()
        #expect(running.now == 0)
      }
    }

    @Test("the largest metadata in every call is 8 KiB a call, and a field more costs the connection")
    func metadataBombs() async throws {
      let running = RunningHandlers()
      // Ten times 256 calls with 8 KiB, which are 64 keys and values each.
      try await underAttack(.hang(running), memory: 160 << 20) { scene in
        // 64 fields of 128 bytes each as they are encoded: the most that a call may have.
        let fields = (0..<64).map { HeaderField(key: "k\($0 + 10)", value: String(repeating: "v", count: 122)) }
        let open = Open(method: MethodDescriptor.hang.path, metadata: fields, message: ByteBuffer(), endStream: true)
        var peers: [WirePeer] = []
        for _ in 0..<10 {
          let peer = try await scene.peer()
          try await peer.send((1...256).map { .open($0, open) })
          peers.append(peer)
        }
        while running.now < 2_560 { try await Task.sleep(for: .milliseconds(5)) }
        for peer in peers {
          // An OPEN that says 255 fields.
          var bytes = ByteBuffer(bytes: [0, 0, 9, 2, 1, 0, 0, 1, 1, 0, 0, 0, 0, 3])
          bytes.writeString("s/m")
          bytes.writeInteger(UInt8(255))
          try await peer.send(bytes)
          guard case .close(.malformedFrame, _)? = await peer.nextOfCall() else { throw Unmet("no CLOSE") }
        }
        #expect(await scene.logged("at most 64 metadata fields"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("messages that are never finished, on all calls, are held up to a bound of the connection")
    func unfinishedMessages() async throws {
      var settings = ServerSettings.quick
      settings.limits.assemblyBytes = 8 << 20
      try await underAttack(.swallow(), settings: settings) { scene in
        let peer = try await scene.peer()
        let count: StreamID = 100
        try await peer.send((1...count).map { .open($0, Open(method: MethodDescriptor.swallow.path)) })
        let segment = ByteBuffer(repeating: 7, count: 16_375)
        var (sent, limit): (UInt64, UInt64) = (0, Limits().connectionWindow)
        var refused: Status?
        var id: StreamID = 0
        while refused == nil {
          while sent + 16_384 <= limit {
            id = id % count + 1
            try await peer.send(.data(id, segment, flags: []))
            sent += 16_384
          }
          switch await peer.next() {
          case .credit(0, let raised): limit = raised
          case .status(_, let status): refused = status
          case nil: throw Unmet("the connection was closed")
          default: continue
          }
        }
        #expect(refused?.code == StatusCode.resourceExhausted.rawValue)
        #expect(sent < 16 << 20)
        try await peer.close()
      }
    }
  }
}
