import ComandaProtos
import NIOCore
import NIOPosix
import Testing

/// Peers that are no clients of ours, at the port of a real server.
@Suite("The server's port", .timeLimit(.minutes(20)))
struct HandshakeTests {
  @Test("openssl s_client finds TLS 1.3, comanda/1 and a certificate that the authority signed")
  func standardPeer() async throws {
    let server = try await Server.shared()
    let (end, client) = try await connect(to: server, ["-tls1_3", "-alpn", "comanda/1"])
    #expect(end == .exit(0), "\(client.transcript)")
    #expect(client.output.contains("New, TLSv1.3, Cipher is"))
    #expect(client.output.contains("ALPN protocol: comanda/1"))
    #expect(client.output.contains("Verify return code: 0 (ok)"))
  }

  @Test("a client of TLS 1.2 is refused for its version")
  func oldPeer() async throws {
    let server = try await Server.shared()
    let (end, client) = try await connect(to: server, ["-tls1_2", "-alpn", "comanda/1"])
    #expect(end != .exit(0))
    #expect(client.errors.contains("alert protocol version"), "\(client.transcript)")
    #expect(!client.output.contains("ALPN protocol"))
    try await expectService(of: server)
  }

  @Test("a client that offers another application protocol is refused for it", arguments: ["h2", "comanda/2"])
  func foreignProtocol(_ name: String) async throws {
    let server = try await Server.shared()
    let (end, client) = try await connect(to: server, ["-tls1_3", "-alpn", name])
    #expect(end != .exit(0))
    #expect(client.errors.contains("alert no application protocol"), "\(client.transcript)")
    try await expectService(of: server)
  }

  @Test("a peer that speaks HTTP is closed at once, and the server goes on")
  func plainHTTP() async throws {
    let server = try await Server.shared()
    let start = ContinuousClock.now
    let answer = try await exchange("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", with: server)
    // Well below the time that a handshake may take.
    #expect(ContinuousClock.now - start < .seconds(9))
    #expect(answer.readableBytes <= 7, "nothing but a TLS alert may come back")
    try await expectService(of: server)
  }

  private func connect(
    to server: Server, _ options: [String]
  ) async throws -> (end: ChildProcess.End, process: ChildProcess) {
    try await run(
      "openssl",
      ["s_client", "-connect", server.address, "-CAfile", server.authority, "-verify_ip", "127.0.0.1"] + options,
      within: .seconds(30))
  }

  /// What comes back for some bytes until the server closes the connection.
  private func exchange(_ text: String, with server: Server) async throws -> ByteBuffer {
    let peer = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: server.port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await peer.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      var answer = ByteBuffer()
      do {
        for try await bytes in inbound { answer.writeImmutableBuffer(bytes) }
      } catch let error as IOError where error.errnoCode == ECONNRESET {
        // It is closed that way too: the server need not read what it does not understand.
      }
      return answer
    }
  }

  private func expectService(of server: Server) async throws {
    let health = try await server.withChannel { try await Comanda_V1_HealthService.Client($0).getHealth(.init()) }
    #expect(health.state == .serving)
  }
}
