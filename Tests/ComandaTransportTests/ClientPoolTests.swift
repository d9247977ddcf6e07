import ComandaRPC
import ComandaTLS
import ComandaTestRun
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("A client of several servers", .timeLimit(.minutes(10)))
struct ClientPoolTests {
  private static let reading = MethodDescriptor(
    service: "test.Service", name: "Read", kind: .unary, idempotency: .noSideEffects)
  private static let where_ = MethodDescriptor.test("Where")

  /// Answers with the name of its server.
  private static func named(_ name: String) -> RPCMethod {
    .unary(where_) { (_: ByteBuffer, _) in ByteBuffer(string: name) }
  }

  private func client(
    of targets: [ClientChannel.Target], settings: ClientSettings = ClientSettings(),
    interceptors: [any ClientInterceptor] = []
  ) throws -> ClientChannel {
    try ClientChannel(
      targets: targets, tls: .client(trust: certificates.get().trust), settings: settings, interceptors: interceptors)
  }

  private func target(_ port: Int) -> ClientChannel.Target {
    ClientChannel.Target(host: "127.0.0.1", port: port)
  }

  private func whereabouts(_ client: ClientChannel) async throws -> String {
    String(buffer: try await client.unary(Self.where_, ByteBuffer(), options: CallOptions(waitsForReady: true)))
  }

  @Test("its calls take turns, and all go to the one that is left when the other stops")
  func turns() async throws {
    let (one, two) = try await (Loopback([Self.named("one")]), Loopback([Self.named("two")]))
    let client = try client(of: [target(one.port), target(two.port)])
    // Calls wait for the first connection only; the second may be ready later.
    var found: Set<String> = []
    while found.count < 2 { found.insert(try await whereabouts(client)) }
    var counts: [String: Int] = [:]
    for _ in 0..<10 { counts[try await whereabouts(client), default: 0] += 1 }
    #expect(counts == ["one": 5, "two": 5])
    try await one.close()
    for _ in 0..<10 { #expect(try await whereabouts(client) == "two") }
    try await client.close()
    try await two.close()
  }

  @Test("a name that resolves to several addresses counts as all of them, and one that does not resolve says so")
  func names() async throws {
    let loopback = try await Loopback([Self.named("here")])
    let client = try client(of: [ClientChannel.Target(host: "localhost", port: loopback.port)])
    #expect(try await whereabouts(client) == "here")
    try await client.close()
    try await loopback.close()
    let lost = try self.client(of: [ClientChannel.Target(host: "nowhere.invalid", port: 1)])
    let error = await rpcError { try await lost.echo() }
    #expect(error?.code == .unavailable)
    #expect(error?.message.hasPrefix("cannot resolve nowhere.invalid: ") == true, "\(error?.message ?? "")")
    try await lost.close()
  }

  @Test("a server on a Unix socket is reached over TLS, under the name that is given")
  func unixSocket() async throws {
    let path = try TestRun.makeDirectory("socket") + "/comanda.sock"
    let loopback = try await Loopback([Self.named("unix")])
    let address = try await loopback.server.listen(on: ServerListener(.unix(path: path)))
    #expect(address == "unix:\(path)")
    let client = try client(of: [ClientChannel.Target(unixSocket: path, serverName: "localhost")])
    #expect(try await whereabouts(client) == "unix")
    try await client.close()
    let stranger = try self.client(of: [ClientChannel.Target(unixSocket: path, serverName: "other.example")])
    let error = await rpcError { try await stranger.echo() }
    #expect(error?.code == .unauthenticated)
    #expect(error?.message.hasPrefix("cannot connect to unix:\(path): the peer's certificate was refused") == true)
    try await stranger.close()
    try await loopback.close()
    let missing = try self.client(of: [ClientChannel.Target(unixSocket: "/nowhere.sock", serverName: "localhost")])
    #expect(
      await rpcError { try await missing.echo() }
        == RPCError(
          .unavailable, "cannot connect to unix:/nowhere.sock: no such file or directory", isRejected: true))
    try await missing.close()
  }

  @Test("a call that finds no server fails at once and says why; one that waits for ready waits until its deadline")
  func notReady() async throws {
    let closed = try await Loopback([.echo])
    try await closed.close()
    let client = try client(of: [target(closed.port)])
    let message = "cannot connect to 127.0.0.1:\(closed.port): connection refused"
    #expect(
      await rpcError { try await client.echo() } == RPCError(.unavailable, message, isRejected: true))
    let waiting = await rpcError {
      try await client.unary(
        .echo, ByteBuffer(), options: CallOptions(timeout: .seconds(1), waitsForReady: true))
    }
    #expect(waiting?.code == .deadlineExceeded)
    #expect(waiting?.message.contains(message) == true)
    async let answer = client.unary(.echo, ByteBuffer(string: "late"), options: CallOptions(waitsForReady: true))
    try await Task.sleep(for: .milliseconds(50))
    let opened = try await Loopback([.echo], port: closed.port)
    #expect(try await answer == ByteBuffer(string: "late"))
    try await client.close()
    try await opened.close()
  }

  @Test("a call that waits is cancelled with its task")
  func cancelledWhileWaiting() async throws {
    let silent = try await SilentListener()
    let client = try client(of: [target(silent.port)])
    let task = Task { await rpcError { try await client.echo() } }
    await silent.accepted.next()
    task.cancel()
    let error = await task.value
    #expect(error?.code == .cancelled)
    #expect(error?.isRejected == true)
    try await client.close()
    try await silent.close()
  }

  // MARK: - Retries

  @Test("a call that may be repeated is made again when its connection is lost")
  func killed() async throws {
    let server = try await ScriptedServer()
    let log = CallLog()
    let client = try client(of: [target(server.port)], interceptors: [log])
    async let answer = client.unary(Self.reading, ByteBuffer(), options: CallOptions())
    for isLast in [false, true] {
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next() {
        guard case .open(let id, _) = frame else { continue }
        if isLast { try await peer.send(.response(id, ByteBuffer(string: "again"))) } else { try await peer.abort() }
        break
      }
    }
    #expect(try await answer == ByteBuffer(string: "again"))
    #expect(log.ended == ["Read OK 2"])
    try await client.close()
    try await server.close()
  }

  @Test("a rejected call is made again at once, whatever it does; the interceptors see one call of two attempts")
  func rejected() async throws {
    let server = try await ScriptedServer()
    let log = CallLog()
    let client = try client(of: [target(server.port)], interceptors: [log])
    async let answer = client.echo()
    let peer = try await server.accept()
    try await peer.send(.hello(Limits.beforeHello))
    while let frame = await peer.next() {
      guard case .open(let id, _) = frame else { continue }
      if id == 1 { try await peer.send(.reset(id, .rejected)) }
      if id == 2 {
        try await peer.send(.response(id, ByteBuffer(string: "second")))
        break
      }
    }
    #expect(try await answer == "second")
    #expect(log.ended == ["Echo OK 2"])
    try await client.close()
    try await server.close()
  }

  @Test("the time that is left travels with each attempt, and no attempt begins when it is up")
  func deadline() async throws {
    let server = try await ScriptedServer()
    let client = try client(of: [target(server.port)])
    async let error = rpcError {
      try await client.unary(Self.reading, ByteBuffer(), options: CallOptions(timeout: .seconds(20)))
    }
    let peer = try await server.accept()
    try await peer.send(.hello(Limits.beforeHello))
    var timeouts: [UInt32] = []
    while timeouts.count < 2, let frame = await peer.next() {
      guard case .open(let id, let open) = frame else { continue }
      timeouts.append(open.timeoutMilliseconds ?? 0)
      // The second answer asks for more time than is left.
      let pause = timeouts.count == 1 ? "100" : "25000"
      let trailers = [HeaderField(key: "retry-after-ms", value: pause)]
      try await peer.send(.status(id, Status(code: 14, message: "away", trailers: trailers)))
    }
    #expect(await error?.message == "away")
    #expect(timeouts.count == 2)
    #expect(timeouts[0] <= 20_000 && timeouts[1] + 100 <= timeouts[0])
    try await client.close()
    try await server.close()
  }

  @Test("a stream that was rejected before its first message is started again, and not after it")
  func streams() async throws {
    let server = try await ScriptedServer()
    let log = CallLog()
    let client = try client(of: [target(server.port)], interceptors: [log])
    let watch = MethodDescriptor.test("Watch", .serverStreaming)
    async let opened = client.start(watch, request: ByteBuffer(), options: CallOptions())
    let peer = try await server.accept()
    try await peer.send(.hello(Limits.beforeHello))
    let call = try await opened
    async let first = call.next()
    var opens: [StreamID] = []
    while opens.count < 2, let frame = await peer.next() {
      guard case .open(let id, _) = frame else { continue }
      opens.append(id)
      if id == 1 { try await peer.send(.reset(id, .rejected)) }
    }
    try await peer.send(.data(2, ByteBuffer(string: "one"), flags: .endMessage))
    #expect(try await first == ByteBuffer(string: "one"))
    try await peer.send(.reset(2, .rejected))
    let error = await rpcError { try await call.next() }
    #expect(error?.isRejected == true)
    #expect(log.ended == ["Watch UNAVAILABLE 2"])
    try await client.close()
    try await server.close()
  }

  // MARK: - Interceptors

  @Test("an interceptor adds to a call's metadata, refuses calls, and sees the end of each once")
  func interceptors() async throws {
    let tags = MethodDescriptor.test("Tags")
    let serving = RPCMethod.unary(tags) { (_: ByteBuffer, context) in
      ByteBuffer(string: context.metadata["tag"] ?? "none")
    }
    let stream = MethodDescriptor.test("Stream", .serverStreaming)
    let streaming = RPCMethod.serverStreaming(stream) {
      (_: ByteBuffer, responses: ResponseWriter<ByteBuffer>, _) in
      for _ in 0..<3 { try await responses.send(ByteBuffer()) }
    }
    try await withLoopback(serving, streaming, .echo) { loopback in
      let log = CallLog()
      let client = try self.client(of: [self.target(loopback.port)], interceptors: [log, Tagging()])
      #expect(try await client.unary(tags, ByteBuffer(), options: CallOptions()) == ByteBuffer(string: "blue"))
      #expect(await rpcError { try await client.echo() }?.code == .permissionDenied)
      let call = try await client.start(stream, request: ByteBuffer(), options: CallOptions())
      while try await call.next() != nil {}
      let forgotten = try await client.start(stream, request: ByteBuffer(), options: CallOptions())
      _ = try await forgotten.next()
      forgotten.cancel()
      #expect(log.ended == ["Tags OK 1", "Echo PERMISSION_DENIED 0", "Stream OK 1", "Stream CANCELLED 1"])
      try await client.close()
    }
  }

  // MARK: - Connections

  @Test("a server that answers nothing any more is noticed, and its calls are UNAVAILABLE")
  func keepalive() async throws {
    let server = try await ScriptedServer()
    var settings = ClientSettings()
    settings.keepaliveInterval = .milliseconds(100)
    settings.keepaliveTimeout = .milliseconds(400)
    settings.retries.maximumAttempts = 1
    let client = try client(of: [target(server.port)], settings: settings)
    async let error = rpcError { try await client.echo() }
    let peer = try await server.accept()
    try await peer.send(.hello(Limits.beforeHello))
    // One PING is answered, the next one is not.
    while let frame = await peer.next() {
      guard case .ping(let number) = frame else { continue }
      if number > 1 { break }
      try await peer.send(.pong(number))
    }
    #expect(await error?.code == .unavailable)
    #expect(await error?.message == "the server did not answer a PING within 400 ms")
    try await client.close()
    try await server.close()
  }

  @Test("a connection without calls is closed after a while, and made anew by the next call")
  func idle() async throws {
    var settings = ClientSettings()
    settings.idleTimeout = .milliseconds(200)
    let server = try await ScriptedServer()
    let client = try client(of: [target(server.port)], settings: settings)
    for _ in 0..<2 {
      async let answer = client.echo()
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next() {
        if case .open(let id, _) = frame { try await peer.send(.response(id, ByteBuffer(string: "here"))) }
        if frame == .close(.done, message: "") { break }
      }
      #expect(try await answer == "here")
    }
    try await client.close()
    try await server.close()
  }

  @Test("a connection whose numbers run out is replaced, and its last call goes on")
  func numbers() async throws {
    var settings = ClientSettings()
    settings.callsPerConnection = 2
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client(settings: settings)
      for number in 0..<20 { #expect(try await client.echo("\(number)") == "\(number)") }
      try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<20 { group.addTask { try await client.echo() } }
        for try await answer in group { #expect(answer == "hello") }
      }
    }
  }

  @Test("a connection to a server that was met before resumes its TLS session")
  func resumption() async throws {
    let server = try await ScriptedServer()
    let client = try client(of: [target(server.port)])
    for isResumed in [false, true, true] {
      async let answer = client.unary(.echo, ByteBuffer(), options: CallOptions(waitsForReady: true))
      let peer = try await server.accept()
      try await peer.send(.hello(Limits.beforeHello))
      while let frame = await peer.next() {
        if case .open(let id, _) = frame {
          try await peer.send(.response(id, ByteBuffer()))
          break
        }
      }
      _ = try await answer
      #expect(await server.handshakes.next()?.isResumed == isResumed)
      try await peer.close()
    }
    try await client.close()
    try await server.close()
  }

  @Test("a client that is released closes its connections; a call that is open keeps it")
  func released() async throws {
    let server = try await ScriptedServer()
    let watch = MethodDescriptor.test("Watch", .serverStreaming)
    var call: (any ClientCall)?
    do {
      let client = try client(of: [target(server.port)])
      call = try await client.start(watch, request: ByteBuffer(), options: CallOptions())
    }
    let peer = try await server.accept()
    try await peer.send(.hello(Limits.beforeHello), .data(1, ByteBuffer(string: "one"), flags: .endMessage))
    #expect(try await call?.next() == ByteBuffer(string: "one"))
    call = nil
    while let frame = await peer.next(), frame != .close(.done, message: "") {}
    #expect(await peer.next() == nil)
    try await server.close()
  }
}

/// Writes down how calls ended.
private final class CallLog: ClientInterceptor {
  private let lines = Mutex<[String]>([])

  var ended: [String] { lines.withLock(\.self) }

  func callEnded(_ context: ClientCallContext, _ outcome: ClientCallOutcome) {
    lines.withLock { $0.append("\(context.method.name) \(outcome.code) \(outcome.attempts)") }
  }
}

/// Adds a tag to each call, and refuses one method.
private struct Tagging: ClientInterceptor {
  func callStarts(_ context: inout ClientCallContext) async throws {
    if context.method == .echo { throw RPCError(.permissionDenied, "no echo today") }
    context.options.metadata.append(key: "tag", value: "blue")
  }
}
