import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

/// Many frames, each of them legal or cheap.
extension Attacks {
  @Suite("Floods")
  struct Floods {
    /// Sends pieces of a flood until the server has closed, following the limit of calls; the reason that CLOSE gives.
    private static func flood(
      _ peer: WirePeer, piece: (Range<StreamID>) -> [Frame]
    ) async throws -> (code: CloseCode, message: String)? {
      var next: StreamID = 1
      var limit = Limits().concurrentStreams
      while true {
        let end = min(limit + 1, next + 64)
        if next < end { try? await peer.send(piece(next..<end)) }
        next = end
        while next > limit {
          switch await peer.next() {
          case .streams(let raised): limit = raised
          case .close(let code, let message): return (code, message)
          case nil: return nil
          default: continue
          }
        }
      }
    }

    /// Sends the same frames until the server has closed.
    private static func repeated(
      _ frames: [Frame], on peer: WirePeer, atMost count: Int = 1_000
    ) async throws -> (code: CloseCode, message: String)? {
      for _ in 0..<count where (try? await peer.send(frames)) == nil { break }
      while let frame = await peer.next() {
        if case .close(let code, let message) = frame { return (code, message) }
      }
      return nil
    }

    /// A budget that does not fill again: how fast a machine floods is not what is tested.
    private static func budget(_ points: Int) -> ServerSettings {
      var settings = ServerSettings.quick
      settings.limits.abusePoints = points
      settings.limits.abusePointsPerSecond = 1
      return settings
    }

    @Test("rapid reset (CVE-2023-44487): calls opened and reset at once run 256 at a time, then cost the connection")
    func rapidReset() async throws {
      let running = RunningHandlers()
      try await underAttack(.hang(running), settings: Self.budget(Limits().abusePoints)) { scene in
        let open = Open(method: MethodDescriptor.hang.path, message: ByteBuffer(), endStream: true)
        let peer = try await scene.peer()
        let end = try await Self.flood(peer) { ids in ids.flatMap { [.open($0, open), .reset($0, .cancelled)] } }
        #expect(end?.code == .excessiveLoad)
        #expect(end?.message == "too many resets of calls in too short a time")
        #expect(await scene.logged("too many resets of calls"))
        #expect(running.most <= 256)
        try await scene.onlyBystanderIsLeft()
        #expect(running.now == 0)
      }
    }

    @Test(
      "calls of strangers that are refused, for what they hold or for being nobody's, cost the connection",
      arguments: [false, true])
    func refusedStrangers(areHeld: Bool) async throws {
      let running = RunningHandlers()
      var settings = Self.budget(Limits().abusePoints)
      settings.strangerBytes = ServerSettings().strangerBytes
      try await underAttack(areHeld ? .hang(running) : .forbid, settings: settings) { scene in
        let method = areHeld ? MethodDescriptor.hang : .forbid
        let open = Open(
          method: method.path, message: ByteBuffer(repeating: 7, count: areHeld ? 1_000 : 0), endStream: true)
        let end = try await Self.flood(scene.peer()) { ids in ids.map { .open($0, open) } }
        #expect(end?.code == .excessiveLoad)
        #expect(end?.message == "too many calls without a known credential in too short a time")
        #expect(running.most <= 256)
        try await scene.onlyBystanderIsLeft()
        #expect(running.now == 0)
      }
    }

    @Test("resets provoked on the server (CVE-2025-8671): calls that break their rules cost the connection")
    func provokedResets() async throws {
      let running = RunningHandlers()
      try await underAttack(.hang(running), settings: Self.budget(Limits().abusePoints)) { scene in
        let open = Open(method: MethodDescriptor.hang.path, message: ByteBuffer(), endStream: true)
        let peer = try await scene.peer()
        let end = try await Self.flood(peer) { ids in
          ids.flatMap { [.open($0, open), .data($0, ByteBuffer(), flags: .endStream)] }
        }
        #expect(end?.code == .excessiveLoad)
        #expect(await scene.logged("too many violations of calls"))
        #expect(running.most <= 256)
        try await scene.onlyBystanderIsLeft()
        #expect(running.now == 0)
      }
    }

    @Test("calls of methods that do not exist are answered, as many as the limit of calls lets through")
    func unknownMethods() async throws {
      try await underAttack { scene in
        let peer = try await scene.peer()
        for id in StreamID(1)...5_000 {
          if id.isMultiple(of: 32) {
            try await peer.send((id - 31...id).map { .open($0, Open(method: "no/Such", endStream: true)) })
            for _ in 0..<32 {
              guard case .status(_, let status)? = await peer.nextOfCall() else { throw Unmet("no STATUS") }
              #expect(status.code == StatusCode.unimplemented.rawValue)
            }
          }
        }
        try await peer.close()
      }
    }

    /// A flood, and what the log says of it.
    struct Flood: Sendable, CustomTestStringConvertible {
      let testDescription: String
      let reason: String
      let frame: Frame
    }

    /// A tenth of the usual budget: a flood need not be large to be one.
    private static let thrifty = budget(Limits().abusePoints / 10)

    private static let floods = [
      Flood(testDescription: "PING (CVE-2019-9512)", reason: "more than 32 PINGs wait", frame: .ping(1)),
      Flood(testDescription: "PONG", reason: "too many PONGs", frame: .pong(1)),
      Flood(testDescription: "HELLO", reason: "a second HELLO", frame: .hello(Limits.beforeHello)),
      Flood(testDescription: "CREDIT of the connection", reason: "too many limits", frame: .credit(0, limit: 1)),
      Flood(testDescription: "CREDIT of a call", reason: "too many limits", frame: .credit(1, limit: 1)),
      Flood(testDescription: "CREDENTIAL", reason: "too many CREDENTIALs", frame: .credential("token")),
      Flood(testDescription: "unknown types", reason: "too many frames of unknown types", frame: .ignored(type: 200)),
      Flood(
        testDescription: "empty frames (CVE-2019-9518)", reason: "too many empty segments",
        frame: .data(1, ByteBuffer(), flags: [])),
    ]

    @Test("a flood of frames that do nothing costs the connection", arguments: floods)
    func nothing(_ flood: Flood) async throws {
      try await underAttack(.swallow(), settings: Self.thrifty, name: "flood of \(flood.testDescription)") { scene in
        let peer = try await scene.peer()
        try await peer.send(.open(1, Open(method: MethodDescriptor.swallow.path)))
        let frames = [Frame](repeating: flood.frame, count: 200)
        let end = try await Self.repeated(frames, on: peer)
        #expect(end?.message.contains(flood.reason) == true, "\(String(describing: end))")
        #expect(await scene.logged(flood.reason))
        try await scene.onlyBystanderIsLeft()
      }
    }

    private static let floodsAfterEnd = [
      Flood(testDescription: "RESET", reason: "too many frames of calls that have ended", frame: .reset(1, .cancelled)),
      Flood(
        testDescription: "CREDIT", reason: "too many frames of calls that have ended",
        frame: .credit(1, limit: 1 << 40)),
      Flood(
        testDescription: "END_STREAM", reason: "too many frames of calls that have ended",
        frame: .data(1, ByteBuffer(), flags: .endStream)),
    ]

    @Test("a flood of frames of a call that has ended costs the connection", arguments: floodsAfterEnd)
    func afterEnd(_ flood: Flood) async throws {
      try await underAttack(.swallow(), settings: Self.thrifty, name: "flood of \(flood.testDescription)s") { scene in
        let peer = try await scene.peer()
        try await peer.send(.open(1, Open(method: MethodDescriptor.swallow.path)), .reset(1, .cancelled))
        let end = try await Self.repeated([Frame](repeating: flood.frame, count: 200), on: peer)
        #expect(end?.code == .excessiveLoad)
        #expect(end?.message.contains(flood.reason) == true, "\(String(describing: end))")
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("a flood of PINGs whose PONGs are read costs the connection too")
    func pingsThatAreRead() async throws {
      try await underAttack(settings: Self.thrifty) { scene in
        let peer = try await scene.peer()
        var reason: String?
        while reason == nil {
          try? await peer.send((0..<16).map { .ping($0) })
          for _ in 0..<16 {
            switch await peer.next() {
            case .close(_, let message): reason = message
            case nil: throw Unmet("no CLOSE")
            default: continue
            }
            break
          }
        }
        #expect(reason == "too many PINGs in too short a time")
        #expect(await scene.logged("too many PINGs"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("segments of one byte cost ten of credit: a message of them is taken, and harms nobody")
    func tinySegments() async throws {
      try await underAttack(.swallow()) { scene in
        let peer = try await scene.peer()
        try await peer.send(.open(1, Open(method: MethodDescriptor.swallow.path)))
        let piece = [Frame](repeating: .data(1, ByteBuffer(bytes: [1]), flags: []), count: 1_000)
        for _ in 0..<20 { try await peer.send(piece) }
        try await peer.send(.data(1, ByteBuffer(), flags: [.endMessage, .endStream]))
        #expect(await Self.answer(peer) == .data(1, ByteBuffer(), flags: .endMessage))
        #expect(await Self.answer(peer) == .status(1, Status(code: 0)))
        try await peer.close()
      }
    }

    @Test("empty messages that nobody reads end with their credit: 29,127 in a window of 256 KiB")
    func emptyMessages() async throws {
      // 28,000 such frames come out of what one read of the socket decrypts, and an unoptimised build is slow with them.
      try await underAttack(.ignore, p99: .seconds(3)) { scene in
        let peer = try await scene.peer()
        try await peer.send(.open(1, Open(method: MethodDescriptor.ignore.path)))
        let piece = [Frame](repeating: .data(1, ByteBuffer(), flags: .endMessage), count: 1_000)
        let end = try await Self.repeated(piece, on: peer)
        #expect(end?.code == .creditExceeded)
        #expect(await scene.logged("CREDIT_EXCEEDED"))
        try await scene.onlyBystanderIsLeft()
      }
    }

    @Test("credit that drips, ten bytes at a time (CVE-2019-9511), makes tiny frames for the one who drips only")
    func drippingCredit() async throws {
      try await underAttack(.pour) { scene in
        let peer = try await scene.peer()
        try await peer.send(.open(1, Open(method: MethodDescriptor.pour.path, message: ByteBuffer(), endStream: true)))
        let window = Limits.beforeHello.streamWindow
        var received = try await Self.receiveData(peer, upTo: window, after: 0)
        for drop in UInt64(1)...5_000 { try await peer.send(.credit(1, limit: window + 10 * drop)) }
        received = try await Self.receiveData(peer, upTo: window + 50_000, after: received)
        #expect(received <= window + 50_000)
        try await peer.close()
      }
    }

    /// Receives DATA until the credit up to a limit is used; what was received in all.
    private static func receiveData(
      _ peer: WirePeer, upTo limit: UInt64, after before: UInt64
    ) async throws -> UInt64 {
      var received = before
      while received + 10 <= limit {
        guard case .data(_, let segment, _)? = await peer.next() else { throw Unmet("no DATA") }
        received += UInt64(9 + segment.readableBytes)
      }
      return received
    }

    private static func answer(_ peer: WirePeer) async -> Frame? {
      while let frame = await peer.next() {
        switch frame {
        case .credit, .streams, .ping: continue
        default: return frame
        }
      }
      return nil
    }
  }
}

extension RPCMethod {
  /// Knows nobody.
  fileprivate static let forbid = RPCMethod.unary(.forbid) { (_: ByteBuffer, _) -> ByteBuffer in
    throw RPCError(.unauthenticated, "nobody knows you")
  }
}

extension MethodDescriptor {
  fileprivate static let forbid = test("Forbid")
}
