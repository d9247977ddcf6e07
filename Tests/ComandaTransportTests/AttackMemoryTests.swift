import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

/// Peers that make a server keep requests or answers, or spend its loops' time on them.
extension Attacks {
  @Suite("Memory and loops")
  struct Memory {
    @Test("strangers that begin messages on all their calls, and end none, are held to some KiB a connection")
    func partialMessages() async throws {
      try await underAttack(.swallow(), settings: .wary, memory: 64 << 20) { scene in
        let segment = ByteBuffer(repeating: 7, count: 16_000)
        for _ in 0..<10 {
          let peer = try await scene.peer()
          try await peer.send((1...100).map { .open($0, Open(method: MethodDescriptor.swallow.path)) })
          for _ in 0..<6 { try await peer.send((1...40).map { .data($0, segment, flags: []) }) }
          guard case .status(_, let status)? = await peer.firstStatus() else { throw Unmet("no STATUS") }
          #expect(status.code == StatusCode.resourceExhausted.rawValue)
        }
      }
    }

    @Test("answers that nobody reads are held to the tenant's share of the server's memory")
    func unreadAnswers() async throws {
      try await underAttack(.huge, interceptors: [Tenants()], memory: 160 << 20) { scene in
        let open = Open(
          method: MethodDescriptor.huge.path, metadata: [HeaderField(key: "tenant", value: "hog")],
          message: ByteBuffer(), endStream: true)
        let peer = try await scene.peer()
        try await peer.send((1...250).map { .open($0, open) })
        guard case .status(_, let status)? = await peer.firstStatus() else { throw Unmet("no STATUS") }
        #expect(status.code == StatusCode.resourceExhausted.rawValue)
        #expect(status.trailers.first?.key == Metadata.retryAfter)
        try await peer.close()
      }
    }

    @Test(
      "a tenant that begins messages on many connections is held to its part, and another one's large request goes through"
    )
    func hog() async throws {
      var settings = ServerSettings.wary
      settings.memoryBudget = 16 << 20
      let tenants = Tenants()
      try await underAttack(.gather, settings: settings, interceptors: [tenants]) { scene in
        let hog = Open(method: MethodDescriptor.gather.path, metadata: [HeaderField(key: "tenant", value: "hog")])
        let segment = ByteBuffer(repeating: 7, count: 16_000)
        for number in 0..<6 {
          let peer = try await scene.peer()
          try await peer.send((1...100).map { .open($0, hog) })
          for _ in 0..<6 { try await peer.send((1...40).map { .data($0, segment, flags: []) }) }
          if number < 5 { continue }
          guard case .status(_, let status)? = await peer.firstStatus() else { throw Unmet("no STATUS") }
          #expect(status.code == StatusCode.resourceExhausted.rawValue)
        }
        #expect(tenants.account(of: "hog").heldBytes <= 8 << 20)
        let other = try await scene.peer()
        let message = ByteBuffer(repeating: 7, count: 200 << 10)
        let metadata = [HeaderField(key: "tenant", value: "other")]
        try await other.send(.open(1, Open(method: MethodDescriptor.gather.path, metadata: metadata)))
        try await other.send(message: message, on: 1)
        #expect(await other.nextBesidesProbes() == .response(1, ByteBuffer(integer: 200 << 10)))
      }
    }

    @Test("a request that never becomes whole is ended when its time is up", arguments: [false, true])
    func endlessRequests(isKnown: Bool) async throws {
      var settings = ServerSettings.quick
      settings.housekeepingInterval = .milliseconds(50)
      settings.requestTimeout = isKnown ? .milliseconds(500) : .hours(1)
      settings.strangerRequestTimeout = isKnown ? .hours(1) : .milliseconds(500)
      try await underAttack(settings: settings, interceptors: [Tenants()]) { scene in
        let peer = try await scene.peer()
        let metadata = isKnown ? [HeaderField(key: "tenant", value: "slow")] : []
        try await peer.send(.open(1, Open(method: MethodDescriptor.echo.path, metadata: metadata)))
        try await peer.send(.data(1, ByteBuffer(repeating: 7, count: 100), flags: []))
        guard case .status(1, let status)? = await peer.nextOfCall() else { throw Unmet("no STATUS") }
        #expect(status.code == StatusCode.deadlineExceeded.rawValue)
        #expect(status.message.contains("500 ms"))
      }
    }

    @Test("a method that is not offered is refused when it is opened, and its request is dropped as it comes")
    func notOffered() async throws {
      try await underAttack(.unimplemented(.study), memory: 32 << 20, p99: .milliseconds(150)) { scene in
        for id in StreamID(1)...2 {
          let peer = try await scene.peer()
          try await peer.send(.open(1, Open(method: MethodDescriptor.study.path)))
          guard case .status(1, let status)? = await peer.nextOfCall() else { throw Unmet("no STATUS") }
          #expect(status.code == StatusCode.unimplemented.rawValue)
          try await peer.send(message: ByteBuffer(repeating: 7, count: 200 << 10), on: 1)
          try await peer.send(.ping(UInt64(id)))
          #expect(await peer.nextBesidesProbes() == .pong(UInt64(id)))
        }
      }
    }

    @Test("requests that take long to decode keep no loop from its other connections")
    func slowRequests() async throws {
      try await underAttack(.study, settings: .quick, memory: 160 << 20, p99: .milliseconds(150)) { scene in
        let message = ByteBuffer(repeating: 7, count: 200 << 10)
        let peers = [try await scene.peer(), try await scene.peer()]
        for id in StreamID(1)...3 {
          for peer in peers {
            try await peer.send(.open(id, Open(method: MethodDescriptor.study.path)))
            try await peer.send(message: message, on: id)
          }
          for peer in peers {
            guard case .status(_, let status)? = await peer.firstStatus() else { throw Unmet("no STATUS") }
            #expect(status.code == StatusCode.invalidArgument.rawValue)
          }
        }
        for peer in peers { try await peer.close() }
      }
    }
  }
}

extension WirePeer {
  /// The next frame that is neither CREDIT nor STREAMS nor a PING by which the server looks how much the path carries.
  fileprivate func nextBesidesProbes() async -> Frame? {
    while let frame = await nextOfCall() {
      if case .ping = frame { continue }
      return frame
    }
    return nil
  }

  /// The next STATUS, ahead of which other frames may come.
  fileprivate func firstStatus() async -> Frame? {
    while let frame = await next() {
      if case .status = frame { return frame }
    }
    return nil
  }

  /// Sends the only message of a call, in segments.
  fileprivate func send(message: ByteBuffer, on id: StreamID) async throws {
    var message = message
    while let segment = message.readSlice(length: min(16_000, message.readableBytes)) {
      let isLast = message.readableBytes == 0
      try await send(.data(id, segment, flags: isLast ? [.endMessage, .endStream] : []))
      if isLast { return }
    }
  }
}

extension ServerSettings {
  /// With the bounds of strangers as they are.
  static var wary: ServerSettings {
    var settings = ServerSettings.quick
    settings.strangerBytes = ServerSettings().strangerBytes
    settings.strangerRequestTimeout = ServerSettings().strangerRequestTimeout
    return settings
  }
}

/// A request that is wrong, which takes half a second to find out.
private struct Study: RPCMessage {
  init(rpcBytes: ByteBuffer) throws {
    let clock = ContinuousClock()
    let end = clock.now + .milliseconds(500)
    while clock.now < end {}
    throw RPCError(.invalidArgument, "there is nothing to it")
  }

  func rpcBytes() -> ByteBuffer {
    ByteBuffer()
  }
}

extension RPCMethod {
  /// Answers with a message of 1 MiB.
  fileprivate static let huge = RPCMethod.unary(.huge) { (_: ByteBuffer, _) in ByteBuffer(repeating: 7, count: 1 << 20)
  }

  /// Takes messages of callers who are known, and says how many bytes they have.
  fileprivate static let gather = RPCMethod.unary(.gather) { (request: ByteBuffer, _) in
    ByteBuffer(integer: request.readableBytes)
  }

  /// Takes long to look at its request.
  fileprivate static let study = RPCMethod.unary(.study) { (request: Study, _) in request }
}

extension MethodDescriptor {
  fileprivate static let huge = test("Huge")
  fileprivate static let study = test("Study")
  fileprivate static let gather = MethodDescriptor(service: "test.Service", name: "Gather", kind: .unary, scope: "any")
}
