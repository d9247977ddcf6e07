import ComandaRPC
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("Connections and drain", .timeLimit(.minutes(10)))
struct LifecycleTests {
  private static let held = MethodDescriptor.test("Held", .serverStreaming)

  /// Sends a response, waits to be released, sends another one.
  private static func holding(_ contexts: Events<ServerContext>, until release: Events<Void>) -> RPCMethod {
    .serverStreaming(held) { (request: ByteBuffer, responses: ResponseWriter<ByteBuffer>, context) in
      contexts.post(context)
      try await responses.send(ByteBuffer(string: "one"))
      await release.next()
      try Task.checkCancellation()
      try await responses.send(ByteBuffer(string: "two"))
    }
  }

  @Test("a drain lets open calls end, and takes no new ones")
  func drain() async throws {
    let (contexts, release) = (Events<ServerContext>(), Events<Void>())
    var settings = ServerSettings.quick
    settings.drainTimeout = .seconds(30)
    let loopback = try await Loopback([Self.holding(contexts, until: release), .echo], settings: settings)
    let client = try loopback.client()
    let call = try await client.start(Self.held, request: ByteBuffer(), options: CallOptions())
    #expect(try await call.next() == ByteBuffer(string: "one"))
    let context = try #require(await contexts.next())
    #expect(!context.isDraining)
    async let drained: () = loopback.server.drain()
    while !context.isDraining { await Task.yield() }
    // Calls that cross the DRAIN are served.
    while (try? await client.echo()) != nil {}
    let refused = await rpcError { try await client.echo() }
    #expect(refused?.code == .unavailable)
    #expect(refused?.isRejected == true)
    release.post()
    #expect(try await call.next() == ByteBuffer(string: "two"))
    #expect(try await call.next() == nil)
    try await drained
    try await client.close()
  }

  @Test("a drain cuts calls that outstay its limit: UNAVAILABLE, and their handlers are cancelled")
  func drainLimit() async throws {
    var settings = ServerSettings.quick
    settings.drainTimeout = .milliseconds(200)
    let method = MethodDescriptor.test("Hang")
    let ended = Events<Bool>()
    let started = Events<Void>()
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, _) in
      started.post()
      defer { ended.post(Task.isCancelled) }
      try await Task.sleep(for: .seconds(3_600))
      return request
    }
    let loopback = try await Loopback([serving], settings: settings)
    let client = try loopback.client()
    async let error = rpcError { try await client.unary(method, ByteBuffer(), options: CallOptions()) }
    await started.next()
    try await loopback.server.drain()
    #expect(await error?.code == .unavailable)
    #expect(await error?.isRejected == false)
    #expect(await ended.next() == true)
    try await client.close()
  }

  @Test("a drain ends uploads whose callers are silent, and watches, with what they need to go on")
  func drainStreams() async throws {
    var settings = ServerSettings.quick
    settings.drainTimeout = .seconds(60)
    let (upload, watch) = (
      MethodDescriptor.test("Upload", .clientStreaming), MethodDescriptor.test("Watch", .serverStreaming)
    )
    let unaware = MethodDescriptor.test("Unaware", .bidirectionalStreaming)
    let running = RunningHandlers()
    let methods: [RPCMethod] = [
      .clientStreaming(upload) { (requests: RequestStream<ByteBuffer>, _) in
        var count = 0
        do {
          for try await _ in requests.untilDrain {
            count += 1
            running.begin()
          }
        } catch is ServerDraining {
          throw RPCError(.unavailable, "go on after \(count)")
        }
        return ByteBuffer()
      },
      .serverStreaming(watch) { (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, context) in
        running.begin()
        while !context.isDraining { try await Task.sleep(for: .milliseconds(50)) }
        throw RPCError(.unavailable, "go on after 0")
      },
      .bidirectionalStreaming(unaware) { (requests: RequestStream<ByteBuffer>, _: ResponseWriter<ByteBuffer>, _) in
        running.begin()
        for try await _ in requests.untilDrain {}
      },
    ]
    let loopback = try await Loopback(methods, settings: settings)
    let client = try loopback.client()
    var calls: [any ClientCall] = []
    for method in [upload, watch, unaware] {
      for _ in 0..<25 {
        let call = try await client.start(method, request: nil, options: CallOptions())
        if method.kind != .bidirectionalStreaming { try await call.send(ByteBuffer(string: "1")) }
        if method.kind == .serverStreaming { try await call.halfClose() }
        calls.append(call)
      }
    }
    while running.most < calls.count { try await Task.sleep(for: .milliseconds(5)) }
    let start = ContinuousClock.now
    async let drained: () = loopback.server.drain()
    for call in calls {
      let error = await rpcError { try await call.next() }
      #expect(error?.code == .unavailable)
      #expect(
        error?.message.contains("the server is about to stop") == true || error?.message.contains("go on after") == true
      )
    }
    try await drained
    #expect(ContinuousClock.now - start < .seconds(20))
    try await client.close()
  }

  @Test("a drain is not held up by connections without calls, of clients that read or do not")
  func drainIdle() async throws {
    var settings = ServerSettings.quick
    settings.drainTimeout = .milliseconds(200)
    let loopback = try await Loopback([.echo], settings: settings)
    #expect(try await loopback.client().echo() == "hello")
    let silent = try await WirePeer.introducedClient(port: loopback.port)
    let handshaking = try await PlainPeer(port: loopback.port)
    try await loopback.close()
    #expect(await silent.next() == .drain)
    try await handshaking.closed()
  }

  @Test("a client goes on with the server that was started anew at the same address")
  func restart() async throws {
    let first = try await Loopback([.echo])
    let client = try first.client()
    #expect(try await client.echo("first") == "first")
    try await first.server.drain()
    #expect(await rpcError { try await client.echo() }?.code == .unavailable)
    let second = try await Loopback([.echo], port: first.port)
    let answer = try await client.unary(.echo, ByteBuffer(string: "second"), options: CallOptions(waitsForReady: true))
    #expect(answer == ByteBuffer(string: "second"))
    try await client.close()
    try await second.close()
  }

  @Test("two hundred connections call at once")
  func connections() async throws {
    try await withLoopback(.echo) { loopback in
      let port = loopback.port
      try await withThrowingTaskGroup(of: WirePeer.self) { group in
        for number in 0..<200 {
          group.addTask {
            let peer = try await WirePeer.introducedClient(port: port)
            let message = ByteBuffer(integer: number)
            try await peer.send(.open(1, Open(method: "test.Service/Echo", message: message, endStream: true)))
            #expect(await peer.nextOfCall() == .response(1, message))
            return peer
          }
        }
        let peers = try await group.reduce(into: []) { $0.append($1) }
        #expect(loopback.server.connectionCount == 200)
        for peer in peers { try await peer.close() }
      }
      while loopback.server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
  }

  @Test("connections beyond the server's limit are closed as they come; one that ends makes room")
  func connectionLimit() async throws {
    var settings = ServerSettings.quick
    settings.connections = 2
    try await withLoopback(.echo, settings: settings) { loopback in
      let first = try await WirePeer.introducedClient(port: loopback.port)
      let second = try await WirePeer.introducedClient(port: loopback.port)
      let third = try await WirePeer.client(port: loopback.port)
      #expect(await third.next() == nil)
      try await first.close()
      while loopback.server.connectionCount > 1 { try await Task.sleep(for: .milliseconds(5)) }
      let fourth = try await WirePeer.introducedClient(port: loopback.port)
      try await fourth.send(.ping(4))
      #expect(await fourth.next() == .pong(4))
      try await second.close()
    }
  }

  @Test("a drain does not wait for peers that are in their TLS handshake")
  func drainHandshaking() async throws {
    var settings = ServerSettings.quick
    settings.drainTimeout = .seconds(50)
    let loopback = try await Loopback([.echo], settings: settings)
    let handshaking = try await PlainPeer(port: loopback.port)
    while loopback.server.connectionCount == 0 { try await Task.sleep(for: .milliseconds(5)) }
    let start = ContinuousClock.now
    try await loopback.close()
    try await handshaking.closed()
    #expect(ContinuousClock.now - start < .seconds(20))
  }

  @Test("a call on a closed client fails, also one that was open, however late it is asked")
  func callsOutliveClient() async throws {
    let (contexts, release) = (Events<ServerContext>(), Events<Void>())
    try await withLoopback(Self.holding(contexts, until: release)) { loopback in
      let client = try loopback.client()
      let call = try await client.start(Self.held, request: ByteBuffer(), options: CallOptions())
      #expect(try await call.next() == ByteBuffer(string: "one"))
      try await client.close()
      #expect(await rpcError { try await call.next() }?.code == .cancelled)
      #expect(await rpcError { try await call.send(ByteBuffer()) }?.code == .cancelled)
      #expect(await call.trailers.isEmpty)
      release.post()
    }
  }

  @Test("a client that is closed while it connects fails the calls that wait")
  func closedWhileConnecting() async throws {
    let silent = try await SilentListener()
    let client = try ClientChannel(
      target: ClientChannel.Target(host: "127.0.0.1", port: silent.port),
      tls: .client(trust: certificates.get().trust))
    async let error = rpcError { try await client.echo() }
    await silent.accepted.next()
    try await client.close()
    #expect(await error?.code == .cancelled)
    #expect(await error?.isRejected == true)
    await silent.closed.next()
    try await silent.close()
  }

  @Test("a closed client refuses calls")
  func closedClient() async throws {
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client()
      #expect(try await client.echo() == "hello")
      try await client.close()
      #expect(await rpcError { try await client.echo() }?.code == .cancelled)
    }
  }
}
