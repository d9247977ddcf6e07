import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("The client, against a server that the test plays", .timeLimit(.minutes(10)))
struct ScriptedServerTests {
  private func withScript(
    settings: ClientSettings = ClientSettings(), _ body: (ScriptedServer, ClientChannel) async throws -> Void
  ) async throws {
    let server = try await ScriptedServer()
    let client = try ClientChannel(
      target: ClientChannel.Target(host: "127.0.0.1", port: server.port),
      tls: .client(trust: certificates.get().trust), settings: settings)
    do {
      try await body(server, client)
    } catch {
      Issue.record(error)
    }
    try await client.close()
    try await server.close()
  }

  private static let echoOpen = Frame.open(
    1, Open(method: "test.Service/Echo", message: ByteBuffer(string: "hello"), endStream: true))

  @Test("the first call does not wait for the server's HELLO")
  func callAheadOfHello() async throws {
    try await withScript { server, client in
      async let answer = client.echo()
      let peer = try await server.accept()
      guard case .hello? = await peer.next() else { throw Unmet("no HELLO") }
      #expect(await peer.next() == Self.echoOpen)
      try await peer.send(.hello(Limits.beforeHello), .response(1, ByteBuffer(string: "late hello")))
      #expect(try await answer == "late hello")
    }
  }

  @Test("a credential goes ahead of the first call")
  func credentialFirst() async throws {
    let server = try await ScriptedServer()
    let client = try ClientChannel(
      target: ClientChannel.Target(host: "127.0.0.1", port: server.port),
      tls: .client(trust: certificates.get().trust), credential: "secret")
    async let answer = client.echo()
    let peer = try await server.accept()
    _ = await peer.next()
    #expect(await peer.next() == .credential("secret"))
    #expect(await peer.next() == Self.echoOpen)
    try await peer.send(.hello(Limits.beforeHello), .response(1, ByteBuffer()))
    _ = try await answer
    try await client.close()
    try await server.close()
  }

  @Test("calls beyond the streams granted wait for STREAMS, in their order")
  func waitsForStreams() async throws {
    try await withScript { server, client in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<102 { group.addTask { _ = try await client.echo() } }
        group.addTask {
          let peer = try await server.accept()
          _ = await peer.next()
          try await peer.send(.hello(Limits.beforeHello))
          for id in StreamID(1)...100 {
            guard case .open(id, _)? = await peer.next() else { throw Unmet("no OPEN \(id)") }
          }
          try await peer.send(.ping(1))
          #expect(await peer.next() == .pong(1))
          try await peer.send(.streams(limit: 101))
          guard case .open(101, _)? = await peer.next() else { throw Unmet("no OPEN 101") }
          try await peer.send(.streams(limit: 102))
          guard case .open(102, _)? = await peer.next() else { throw Unmet("no OPEN 102") }
          for id in StreamID(1)...102 { try await peer.send(.response(id, ByteBuffer())) }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test(
    "RESET by the server is an error that says whether the call may be sent again",
    arguments: [
      (ResetCode.rejected, StatusCode.unavailable, true), (.cancelled, .cancelled, false),
      (.deadlineExceeded, .deadlineExceeded, false), (.messageTooLarge, .resourceExhausted, false),
      (.stalled, .resourceExhausted, false), (.internalError, .internal, false),
      (.init(rawValue: 99), .internal, false),
    ])
  func reset(code: ResetCode, status: StatusCode, isRejected: Bool) async throws {
    try await withScript { server, client in
      async let error = rpcError {
        try await client.unary(.echo, ByteBuffer(string: "hello"), options: CallOptions(maximumAttempts: 1))
      }
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello), .reset(1, code))
      while let frame = await peer.next(), frame != Self.echoOpen {}
      let received = await error
      // The RESET may have come ahead of the OPEN, and then the server is at fault.
      #expect(received?.code == status || received?.code == .internal)
      #expect(received?.isRejected == isRejected || received?.code == .internal)
    }
  }

  @Test("a server that is killed makes its calls UNAVAILABLE, and the next call connects anew")
  func killedServer() async throws {
    try await withScript { server, client in
      async let error = rpcError { try await client.echo() }
      let first = try await server.accept()
      try await first.send(.hello(Limits.beforeHello))
      while let frame = await first.next(), frame != Self.echoOpen {}
      try await first.abort()
      #expect(await error?.code == .unavailable)
      #expect(await error?.isRejected == false)
      async let answer = client.echo()
      let second = try await server.accept()
      try await second.send(.hello(Limits.beforeHello))
      while let frame = await second.next(), frame != Self.echoOpen {}
      try await second.send(.response(1, ByteBuffer(string: "again")))
      #expect(try await answer == "again")
    }
  }

  @Test("a server that breaks the protocol gets CLOSE, its calls are INTERNAL, and the next call connects anew")
  func brokenServer() async throws {
    try await withScript { server, client in
      async let error = rpcError { try await client.echo() }
      let first = try await server.accept()
      try await first.send(.hello(Limits.beforeHello))
      while let frame = await first.next(), frame != Self.echoOpen {}
      try await first.send(.response(9, ByteBuffer()))
      guard case .close(.protocolError, _)? = await first.next() else { throw Unmet("no CLOSE") }
      #expect(await error?.code == .internal)
      async let answer = client.echo()
      let second = try await server.accept()
      try await second.send(.hello(Limits.beforeHello))
      while let frame = await second.next(), frame != Self.echoOpen {}
      try await second.send(.response(1, ByteBuffer(string: "again")))
      #expect(try await answer == "again")
    }
  }

  @Test("a server that pings within its budget, for longer than the budget lasts at once, is answered")
  func patientPings() async throws {
    var settings = ClientSettings()
    settings.limits.abusePoints = 5
    settings.limits.abusePointsPerSecond = 1_000_000
    try await withScript(settings: settings) { server, client in
      async let answer = client.echo()
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next(), frame != Self.echoOpen {}
      for number in UInt64(1)...50 {
        try await peer.send(.ping(number))
        #expect(await peer.nextOfCall() == .pong(number))
      }
      try await peer.send(.response(1, ByteBuffer(string: "hello")))
      #expect(try await answer == "hello")
    }
  }

  @Test(
    "CLOSE by the server is an error with its reason: a defect is INTERNAL, load and age are UNAVAILABLE",
    arguments: [
      (CloseCode.done, StatusCode.unavailable), (.protocolError, .internal), (.malformedFrame, .internal),
      (.creditExceeded, .internal), (.excessiveLoad, .unavailable), (.timeout, .unavailable),
      (.internalError, .internal), (CloseCode(rawValue: 99), .unavailable),
    ])
  func closed(code: CloseCode, status: StatusCode) async throws {
    try await withScript { server, client in
      async let error = rpcError { try await client.echo() }
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next(), frame != Self.echoOpen {}
      try await peer.send(.close(code, message: "too many of you"))
      #expect(await error?.code == status)
      #expect(await error?.message.contains("too many of you") == true)
    }
  }

  @Test("a server that completes TLS and says nothing is UNAVAILABLE in time, and its connection is closed")
  func silentServer() async throws {
    var settings = ClientSettings()
    settings.connectTimeout = .milliseconds(300)
    try await withScript(settings: settings) { server, client in
      async let error = rpcError { try await client.echo() }
      let peer = try await server.accept()
      #expect(await error?.code == .unavailable)
      while await peer.next() != nil {}
    }
  }

  @Test("after DRAIN the open call ends, the connection is closed with DONE, and the next call goes to another one")
  func drain() async throws {
    try await withScript { server, client in
      async let answer = client.echo()
      let first = try await server.accept()
      try await first.send(.hello(Limits.beforeHello))
      while let frame = await first.next(), frame != Self.echoOpen {}
      try await first.send(.drain)
      #expect(await first.next() == .drainAck)

      async let other = client.echo("other")
      let second = try await server.accept()
      try await second.send(.hello(Limits.beforeHello))
      guard case .hello? = await second.next(), case .open(1, let open)? = await second.next() else {
        throw Unmet("no call on the second connection")
      }
      #expect(open.message == ByteBuffer(string: "other"))
      try await second.send(.response(1, ByteBuffer(string: "from the second")))
      #expect(try await other == "from the second")

      try await first.send(.response(1, ByteBuffer(string: "from the first")))
      #expect(try await answer == "from the first")
      #expect(await first.next() == .close(.done, message: ""))
      #expect(await first.next() == nil)
    }
  }

  @Test("a unary call that is answered with two messages is INTERNAL: none of them may be the answer")
  func twoResponses() async throws {
    try await withScript { server, client in
      async let error = rpcError { try await client.echo() }
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next(), frame != Self.echoOpen {}
      try await peer.send(
        .data(1, ByteBuffer(string: "one"), flags: .endMessage),
        .data(1, ByteBuffer(string: "two"), flags: .endMessage),
        .status(1, Status(code: 0)))
      #expect(await error?.code == .internal)
    }
  }

  @Test("a unary call that ends with OK and no message is INTERNAL")
  func noResponse() async throws {
    try await withScript { server, client in
      async let error = rpcError { try await client.echo() }
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next(), frame != Self.echoOpen {}
      try await peer.send(.status(1, Status(code: 0)))
      #expect(await error?.code == .internal)
    }
  }

  @Test("a status code that does not exist is UNKNOWN, with its message")
  func unknownStatus() async throws {
    try await withScript { server, client in
      async let error = rpcError { try await client.echo() }
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next(), frame != Self.echoOpen {}
      try await peer.send(.status(1, Status(code: 17, message: "from the future")))
      #expect(await error == RPCError(.unknown, "from the future"))
    }
  }
}
