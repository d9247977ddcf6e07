import ComandaRPC
import ComandaTLS
import ComandaTestRun
import ComandaWire
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import ComandaTransport

@Suite("Listeners, their certificates, and how much they admit")
struct ListenerTests {
  private static let whoAmI = MethodDescriptor.test("WhoAmI")
  /// Answers with the caller's address.
  private static let answering = RPCMethod.unary(whoAmI) { (_: ByteBuffer, context) in
    ByteBuffer(string: context.connection.remoteAddress)
  }

  @Test("behind a load balancer, handlers see the client that its header names; a peer without one is closed")
  func proxied() async throws {
    try await withLoopback(Self.answering) { loopback in
      let address = try await loopback.server.listen(
        on: ServerListener(.tcp(host: "127.0.0.1", port: 0), expectsProxyHeader: true))
      let port = try #require(Int(address.split(separator: ":").last ?? ""))
      var header = ByteBuffer(bytes: ProxyHeader.signature)
      header.writeMultipleIntegers(UInt8(0x21), UInt8(0x11), UInt16(12))
      header.writeBytes([192, 0, 2, 7, 198, 51, 100, 1, 0xc8, 0x22, 0x1d, 0x13])
      let peer = try await WirePeer.introducedClient(port: port, ahead: header)
      try await peer.send(.open(1, Open(method: Self.whoAmI.path, message: ByteBuffer(), endStream: true)))
      #expect(await peer.nextOfCall() == .response(1, ByteBuffer(string: "192.0.2.7:51234")))
      try await peer.close()
      #expect(await WirePeer.isRefused(port: port))
    }
  }

  @Test("a reloaded certificate is presented to new connections; open ones go on; a bad one changes nothing")
  func reload() async throws {
    let other = try DevelopmentCertificates(in: TestRun.makeDirectory("other"))
    try await withLoopback(.echo) { loopback in
      let old = try loopback.client()
      #expect(try await old.echo() == "hello")
      #expect(throws: TLSError.self) {
        try loopback.server.reload(.server(.init(certificateChain: .bytes([]), privateKey: .bytes([]))))
      }
      #expect(try await loopback.client().echo() == "hello")
      try loopback.server.reload(.server(other.identity))
      #expect(try await old.echo() == "hello")
      let stranger = try loopback.client()
      #expect(await rpcError { try await stranger.echo() }?.code == .unauthenticated)
      let knowing = try ClientChannel(
        target: ClientChannel.Target(host: "127.0.0.1", port: loopback.port), tls: .client(trust: other.trust))
      #expect(try await knowing.echo() == "hello")
      try await knowing.close()
    }
  }

  @Test("servers with the same file of ticket keys resume each other's sessions, also after a rotation")
  func sharedTicketKeys() async throws {
    let file = try TestRun.makeDirectory("tickets") + "/keys"
    func write(_ digits: Character...) throws {
      let lines = digits.map { String(repeating: $0, count: 160) + "\n" }.joined()
      #expect(
        FileManager.default.createFile(
          atPath: file, contents: Data(lines.utf8), attributes: [.posixPermissions: NSNumber(value: 0o600)]))
    }
    try write("a")
    var ports: [Int] = []
    var servers: [RPCServer] = []
    let tls = try TLSConfiguration.server(certificates.get().identity)
    for _ in 0..<2 {
      let server = try RPCServer(
        dispatcher: CallDispatcher(router: Router(), logger: .quiet), tls: tls, settings: .quick,
        tickets: TicketKeys(file: file), threads: 1, logger: .quiet)
      servers.append(server)
      ports.append(Int(try await server.listen(host: "127.0.0.1", port: 0).split(separator: ":").last ?? "") ?? 0)
    }
    let client = try TLSContext(configuration: .client(trust: certificates.get().trust))
    #expect(try await !WirePeer.resumes(port: ports[0], tls: client))
    #expect(try await WirePeer.resumes(port: ports[1], tls: client))
    try write("b", "a")
    try servers[0].reload(tls)
    #expect(try await WirePeer.resumes(port: ports[0], tls: client))
    #expect(try await !WirePeer.resumes(port: ports[1], tls: client), "it has not read the new key yet")
    try servers[1].reload(tls)
    #expect(try await WirePeer.resumes(port: ports[0], tls: client))
    #expect(try await WirePeer.resumes(port: ports[1], tls: client))
    for server in servers { try await server.drain() }
  }

  @Test("a method's bound refuses at once what is beyond it, and admits again when a call has ended")
  func methodLimit() async throws {
    let (started, release) = (Events<Void>(), Events<Void>())
    let slow = MethodDescriptor.test("Slow")
    let holding = RPCMethod.unary(slow) { (request: ByteBuffer, _) in
      started.post(())
      _ = await release.next()
      return request
    }
    var limits = CallLimits()
    limits.methods[slow.path] = CallLimits.Method(runningCalls: 2)
    try await withLoopback(holding, .echo, limits: limits) { loopback in
      let client = try loopback.client()
      async let first = client.unary(slow, ByteBuffer(), options: CallOptions())
      async let second = client.unary(slow, ByteBuffer(), options: CallOptions())
      for _ in 0..<2 { _ = await started.next() }
      let error = await rpcError { try await client.unary(slow, ByteBuffer(), options: CallOptions()) }
      #expect(error?.code == .resourceExhausted)
      #expect(error?.message == "the server runs 2 calls of test.Service/Slow already; try again later")
      #expect(try await client.echo() == "hello", "other methods go on")
      for _ in 0..<2 { release.post(()) }
      _ = try await (first, second)
      release.post(())
      _ = try await client.unary(slow, ByteBuffer(), options: CallOptions())
    }
  }

  @Test("a server's bound counts all its methods")
  func serverLimit() async throws {
    let (started, release) = (Events<Void>(), Events<Void>())
    let slow = MethodDescriptor.test("Slow")
    let holding = RPCMethod.unary(slow) { (request: ByteBuffer, _) in
      started.post(())
      _ = await release.next()
      return request
    }
    var limits = CallLimits()
    limits.runningCalls = 1
    try await withLoopback(holding, .echo, limits: limits) { loopback in
      let client = try loopback.client()
      async let first = client.unary(slow, ByteBuffer(), options: CallOptions())
      _ = await started.next()
      let error = await rpcError { try await client.echo() }
      #expect(error?.code == .resourceExhausted)
      #expect(error?.message == "the server runs 1 calls already; try again later")
      release.post(())
      _ = try await first
      #expect(try await client.echo() == "hello")
    }
  }

  @Test("a request over its method's size is refused, in OPEN, in DATA, and in a stream")
  func requestSize() async throws {
    let stream = MethodDescriptor.test("Stream", .clientStreaming)
    let counting = RPCMethod.clientStreaming(stream) { (requests: RequestStream<ByteBuffer>, _) in
      var count: UInt64 = 0
      for try await request in requests { count += UInt64(request.readableBytes) }
      return ByteBuffer(integer: count)
    }
    var limits = CallLimits()
    limits.methods["test.Service/Echo"] = CallLimits.Method(requestBytes: 100)
    limits.methods[stream.path] = CallLimits.Method(requestBytes: 100)
    try await withLoopback(.echo, counting, limits: limits) { loopback in
      let client = try loopback.client()
      #expect(try await client.echo(String(repeating: "x", count: 100)).count == 100)
      for size in [101, 100_000] {
        let error = await rpcError { try await client.echo(String(repeating: "x", count: size)) }
        #expect(error?.code == .resourceExhausted)
        #expect(error?.message == "a request of test.Service/Echo has at most 100 bytes; this has more")
      }
      let call: ClientStreamingCall<ByteBuffer, ByteBuffer> = try await client.clientStreaming(
        stream, options: CallOptions())
      try await call.send(ByteBuffer(repeating: 0, count: 100))
      try await call.send(ByteBuffer(repeating: 0, count: 101))
      #expect(await rpcError { try await call.finish() }?.code == .resourceExhausted)
    }
  }
}
