import ComandaRPC
import Foundation
import NIOCore
import Testing

@testable import ComandaTransport
@testable import ComandaWire

@Suite("Peers that misbehave", .timeLimit(.minutes(10)))
struct HostilePeerTests {
  @Test("a peer that speaks HTTP is closed at once, and the server goes on")
  func http() async throws {
    try await withLoopback(.echo) { loopback in
      let peer = try await PlainPeer(port: loopback.port)
      try await peer.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
      try await peer.closed()
      #expect(try await loopback.client().echo() == "hello")
    }
  }

  @Test(
    "a client of TLS 1.2, or without our application protocol, is refused, and the server goes on",
    arguments: [
      ["-tls1_2", "-alpn", "comanda/1"], ["-tls1_3", "-alpn", "h2"], ["-tls1_3"],
    ])
  func otherTLS(options: [String]) async throws {
    try await withLoopback(.echo) { loopback in
      let openssl = Process()
      openssl.executableURL = URL(filePath: "/usr/bin/env")
      openssl.arguments = ["openssl", "s_client", "-connect", "127.0.0.1:\(loopback.port)"] + options
      let output = Pipe()
      // It ends by itself only when the server closes: its input stays open.
      openssl.standardInput = Pipe()
      openssl.standardOutput = output
      openssl.standardError = output
      let ended = Events<Void>()
      openssl.terminationHandler = { _ in ended.post() }
      try openssl.run()
      await ended.next()
      let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      #expect(text.contains("alert"), "\(text)")
      #expect(try await loopback.client().echo() == "hello")
    }
  }

  @Test("a peer that pings within its budget, for longer than the budget lasts at once, is answered")
  func patientPings() async throws {
    var settings = ServerSettings.quick
    settings.limits.abusePoints = 5
    settings.limits.abusePointsPerSecond = 1_000_000
    try await withLoopback(.echo, settings: settings) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      for number in UInt64(1)...50 {
        try await peer.send(.ping(number))
        #expect(await peer.nextOfCall() == .pong(number))
      }
      try await peer.close()
    }
  }

  @Test("a peer that does not introduce itself is cut with TIMEOUT")
  func noHello() async throws {
    var settings = ServerSettings.quick
    settings.firstFrameTimeout = .seconds(1)
    settings.housekeepingInterval = .milliseconds(20)
    try await withLoopback(.echo, settings: settings) { loopback in
      let peer = try await WirePeer.client(port: loopback.port)
      guard case .hello? = await peer.next() else {
        throw Unmet("no HELLO")
      }
      #expect(await peer.next() == .close(.timeout, message: "no HELLO came within 1 s"))
      #expect(await peer.next() == nil)
      #expect(try await loopback.client().echo() == "hello")
    }
  }

  @Test("a peer that broke the protocol gets CLOSE with the reason; other connections go on")
  func violations() async throws {
    try await withLoopback(.echo) { loopback in
      let client = try loopback.client()
      #expect(try await client.echo() == "hello")
      let broken: [(CloseCode, ByteBuffer)] = [
        (.malformedFrame, ByteBuffer(bytes: [0, 0, 0, 99, 0, 0, 0, 0, 0])),
        (.malformedFrame, ByteBuffer(bytes: [0xff, 0xff, 0xff, 0xff])),
        (.protocolError, Self.bytes(.open(7, .init(method: "test.Service/Echo")))),
        (.protocolError, Self.bytes(.data(1, ByteBuffer(), flags: []))),
        (.protocolError, Self.bytes(.streams(limit: 1))),
      ]
      for (code, bytes) in broken {
        let peer = try await WirePeer.introducedClient(port: loopback.port)
        try await peer.send(bytes)
        guard case .close(code, let message)? = await peer.nextOfCall() else {
          Issue.record("no CLOSE with \(code)")
          continue
        }
        #expect(!message.isEmpty)
        #expect(await peer.next() == nil)
      }
      let early = try await WirePeer.client(port: loopback.port)
      try await early.send(.ping(1))
      _ = await early.next()
      #expect(await early.next() == .close(.protocolError, message: "the first frame is a HELLO"))
      #expect(try await client.echo() == "hello")
    }
  }

  private static func bytes(_ frame: Frame) -> ByteBuffer {
    var bytes = ByteBuffer()
    FrameEncoder.encode(frame, into: &bytes)
    return bytes
  }

  @Test("the server holds a deadline that its caller does not")
  func serverDeadline() async throws {
    let ended = Events<Bool>()
    let method = MethodDescriptor.test("Hang")
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, _) in
      defer { ended.post(Task.isCancelled) }
      try await Task.sleep(for: .seconds(3_600))
      return request
    }
    try await withLoopback(serving) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      try await peer.send(
        .open(1, Open(method: method.path, timeoutMilliseconds: 200, message: ByteBuffer(), endStream: true)))
      guard case .status(1, let status)? = await peer.nextOfCall() else {
        throw Unmet("no STATUS")
      }
      #expect(status.code == StatusCode.deadlineExceeded.rawValue)
      #expect(await ended.next() == true)
    }
  }

  @Test("RESET cancels the handler; a call that was reset is not answered", arguments: [ResetCode.cancelled, .stalled])
  func reset(code: ResetCode) async throws {
    let trace = Events<String>()
    let method = MethodDescriptor.test("Hang")
    let serving = RPCMethod.unary(method) { (request: ByteBuffer, _) in
      trace.post("started")
      defer { trace.post("cancelled: \(Task.isCancelled)") }
      try await Task.sleep(for: .seconds(3_600))
      return request
    }
    try await withLoopback(serving, .echo) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      try await peer.send(.open(1, Open(method: method.path, message: ByteBuffer(), endStream: true)))
      #expect(await trace.next() == "started")
      try await peer.send(.reset(1, code))
      #expect(await trace.next() == "cancelled: true")
      try await peer.send(.open(2, Open(method: "test.Service/Echo", message: ByteBuffer(), endStream: true)))
      #expect(await peer.nextOfCall() == .response(2, ByteBuffer()))
    }
  }

  @Test("a request over the limit ends its call with RESOURCE_EXHAUSTED; the connection goes on")
  func oversizedRequest() async throws {
    try await withLoopback(.echo) { loopback in
      let peer = try await WirePeer.introducedClient(port: loopback.port)
      try await peer.send(.open(1, Open(method: "test.Service/Echo")))
      let segment = ByteBuffer(repeating: 0, count: 16_000)
      let cost = 16_000 + FrameLayout.headerSize
      var (sent, limit) = (0, Int(Limits.beforeHello.streamWindow))
      var answer: Frame?
      while answer == nil {
        while sent + cost <= limit {
          try await peer.send(.data(1, segment, flags: []))
          sent += cost
        }
        switch await peer.next() {
        case .credit(1, let credit): limit = Int(credit)
        case .credit, .streams, .ping: break
        case let frame?: answer = frame
        case nil: throw Unmet("the connection was closed")
        }
      }
      guard case .status(1, let status)? = answer else {
        throw Unmet("no STATUS but \(String(describing: answer))")
      }
      #expect(status.code == StatusCode.resourceExhausted.rawValue)
      #expect(status.message.contains("4194304"))
      #expect(sent > 4 << 20 && sent < 6 << 20)
      try await peer.send(.open(2, Open(method: "test.Service/Echo", message: ByteBuffer(), endStream: true)))
      #expect(await peer.nextOfCall() == .response(2, ByteBuffer()))
    }
  }

  @Test("a client that is killed in the middle of a call cancels its handler, although nobody else is there")
  func killedClient() async throws {
    let trace = Events<String>()
    let method = MethodDescriptor.test("Hang", .clientStreaming)
    let serving = RPCMethod.clientStreaming(method) { (requests: RequestStream<ByteBuffer>, _) in
      trace.post("started")
      defer { trace.post("cancelled: \(Task.isCancelled)") }
      for try await _ in requests {}
      return ByteBuffer()
    }
    try await withLoopback(serving, threads: 1) { loopback in
      for _ in 0..<20 {
        let peer = try await WirePeer.introducedClient(port: loopback.port)
        try await peer.send(.open(1, Open(method: method.path)))
        #expect(await trace.next() == "started")
        // The server may find this and the reset that follows in one turn of its loop.
        async let sent: () = peer.send(.data(1, ByteBuffer(repeating: 0, count: 10_000), flags: .endMessage))
        try await peer.abort()
        try? await sent
        #expect(await trace.next() == "cancelled: true")
      }
      while loopback.server.connectionCount > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
  }
}
