import ComandaRPC
import ComandaWire
import NIOCore
import Testing

@testable import ComandaTransport

@Suite("Answers that outlive their handlers", .timeLimit(.minutes(1)))
struct AnswerTests {
  private static let large = MethodDescriptor.test("Large")

  /// More than a peer gives credit for before it says so; a unary answer is queued whole, and its handler ends.
  private static let answering = RPCMethod.unary(large) { (_: ByteBuffer, _) in
    ByteBuffer(repeating: 7, count: 1 << 20)
  }

  private func open(_ method: MethodDescriptor, timeout: UInt32? = nil, last: Bool = true) -> Open {
    Open(method: method.path, timeoutMilliseconds: timeout, message: ByteBuffer(), endStream: last)
  }

  /// What ends a call, after the DATA that there was credit for.
  private func end(_ peer: WirePeer) async -> Frame? {
    while let frame = await peer.nextOfCall() {
      if case .data = frame { continue }
      return frame
    }
    return nil
  }

  @Test("an answer that gets no credit ends its call when the stall limit has passed")
  func stalledAnswer() async throws {
    var settings = ServerSettings.quick
    settings.stallTimeout = .milliseconds(200)
    settings.housekeepingInterval = .milliseconds(50)
    try await withLoopback(Self.answering, settings: settings) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      try await peer.send(.open(1, open(Self.large)))
      #expect(await end(peer) == .reset(1, .stalled))
    }
  }

  @Test("an answer that gets no credit ends its call when its time is up")
  func lateAnswer() async throws {
    try await withLoopback(Self.answering) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      try await peer.send(.open(1, open(Self.large, timeout: 200)))
      guard case .status(1, let status)? = await end(peer) else {
        Issue.record("no STATUS")
        return
      }
      #expect(status.code == StatusCode.deadlineExceeded.rawValue)
    }
  }

  @Test("what a handler did not read is credited when it ends, though its answer still waits")
  func unreadRequests() async throws {
    let method = MethodDescriptor.test("Unread", .clientStreaming)
    let serving = RPCMethod.clientStreaming(method) { (_: RequestStream<ByteBuffer>, _) in
      // Requests come meanwhile, and wait.
      try await Task.sleep(for: .milliseconds(300))
      return ByteBuffer(repeating: 7, count: 255 << 10)
    }
    var settings = ServerSettings.quick
    settings.limits.streamWindow = 2 << 20
    settings.limits.connectionWindow = 1 << 20
    try await withLoopback(serving, settings: settings) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      // Four answers take the credit that the peer gives, so that the fifth one waits.
      let opens = (1...5).map { Frame.open($0, open(method, last: false)) }
      let message = ByteBuffer(repeating: 1, count: 16_000)
      try await peer.send(opens + Array(repeating: .data(5, message, flags: .endMessage), count: 60))
      while let frame = await peer.next() {
        if case .credit(0, let limit) = frame {
          #expect(limit > 1 << 20)
          return
        }
      }
      Issue.record("the connection got no credit")
    }
  }

  @Test("a call runs as whom its connection stood for when it was opened")
  func credentialOfOpen() async throws {
    let method = MethodDescriptor.test("WhoAmI")
    let serving = RPCMethod.unary(method) { (_: ByteBuffer, context) in
      ByteBuffer(string: context.connection.credential ?? "nobody")
    }
    try await withLoopback(serving) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      try await peer.send(
        .open(1, open(method)), .credential("first"), .open(2, open(method)), .open(3, open(method, last: false)),
        .credential("second"), .open(4, open(method)), .data(3, ByteBuffer(), flags: .endStream))
      var callers: [StreamID: String] = [:]
      while callers.count < 4, case .response(let id, let message)? = await peer.nextOfCall() {
        callers[id] = String(buffer: message)
      }
      #expect(callers == [1: "nobody", 2: "first", 3: "first", 4: "second"])
    }
  }

  @Test("trailers that a handler sets from another thread travel with its status")
  func trailersFromElsewhere() async throws {
    let method = MethodDescriptor.test("Elsewhere")
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, context) in
      await withTaskExecutorPreference(globalConcurrentExecutor) {
        context.sendInitialMetadata(["begin": "1"])
        context.setTrailers(["end": "2"])
      }
      return request
    }
    try await withLoopback(serving) { loopback in
      let client = try loopback.client()
      for _ in 0..<500 {
        let call = try await client.start(method, request: ByteBuffer(), options: CallOptions())
        while try await call.next() != nil {}
        let (initial, trailers) = try await (call.initialMetadata, call.trailers)
        guard initial == ["begin": "1"], trailers == ["end": "2"] else {
          Issue.record("metadata was lost: \(initial), \(trailers)")
          return
        }
      }
    }
  }
}
