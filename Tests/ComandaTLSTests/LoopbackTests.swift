import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import ComandaTLS

/// Over real sockets, against OpenSSL's own command as the client.
@Suite(
  "TLS over loopback", .enabled(if: FileManager.default.isExecutableFile(atPath: openssl), "needs the package openssl"))
struct LoopbackTests {
  let folder: TemporaryFolder
  let certificates: DevelopmentCertificates

  init() throws {
    folder = try TemporaryFolder()
    certificates = try DevelopmentCertificates(in: folder.path + "/tls")
  }

  /// Serves for as long as `body` runs.
  private func withServer<R: Sendable>(
    answering handler: @escaping @Sendable () -> any ChannelHandler = { Echo() },
    _ body: (_ port: Int) async throws -> R
  ) async throws -> R {
    let context = try TLSContext(configuration: .server(certificates.identity), ticketKeys: TicketKeys())
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context))
          try channel.pipeline.syncOperations.addHandler(handler())
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(server.localAddress?.port)
    let result: Result<R, any Error>
    do { result = .success(try await body(port)) } catch { result = .failure(error) }
    try await server.close()
    return try result.get()
  }

  /// Sends back what it gets.
  private class Echo: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
      context.flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
  }

  /// Sends back the first that it gets, and closes.
  private final class EchoOnce: Echo {
    override func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      context.write(data, promise: nil)
      context.close(promise: nil)
    }
  }

  /// What `openssl s_client` prints, until the server ends the connection.
  private func client(port: Int, _ options: String..., sending line: String = "") async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: openssl)
    process.arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.authorityFile] + options
    // Kept open until the end: s_client leaves when its input ends.
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    if !line.isEmpty {
      try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }
    let reading = output.fileHandleForReading
    let text = try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(with: Result { try reading.readToEnd() ?? Data() })
      }
    }
    process.waitUntilExit()
    withExtendedLifetime(input) {}
    return String(decoding: text, as: UTF8.self)
  }

  @Test("openssl s_client agrees on TLS 1.3 and comanda/1, verifies the certificate, and gets its echo")
  func agreement() async throws {
    let text = try await withServer(answering: { EchoOnce() }) { port in
      try await client(
        port: port, "-alpn", "comanda/1", "-verify_return_error", "-verify_hostname", "localhost",
        sending: "hello from openssl")
    }
    #expect(text.contains("New, TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256") || text.contains("TLS_CHACHA20"))
    #expect(text.contains("ALPN protocol: comanda/1"))
    #expect(text.contains("Verify return code: 0 (ok)"))
    #expect(text.contains("\nhello from openssl\n"))
  }

  @Test("a TLS 1.2 client gets the alert protocol_version")
  func oldVersion() async throws {
    let text = try await withServer { try await client(port: $0, "-alpn", "comanda/1", "-tls1_2") }
    #expect(text.contains("alert protocol version"))
    #expect(text.contains("Cipher is (NONE)"))
  }

  @Test("a client of another protocol, or of none, gets the alert no_application_protocol")
  func otherProtocol() async throws {
    let texts = try await withServer { port in
      [try await client(port: port, "-alpn", "h2"), try await client(port: port)]
    }
    for text in texts { #expect(text.contains("alert no application protocol")) }
  }

  @Test("a peer that speaks HTTP is closed at once, and the server goes on")
  func http() async throws {
    let (answer, next) = try await withServer(answering: { EchoOnce() }) { port in
      let answer = try await plainConnection(port: port, sending: "GET / HTTP/1.1\r\n\r\n")
      return (answer, try await client(port: port, "-alpn", "comanda/1", sending: "still there"))
    }
    #expect(answer.isEmpty)
    #expect(next.contains("\nstill there\n"))
  }

  /// All that the server sends before it closes the connection.
  private func plainConnection(port: Int, sending text: String) async throws -> [UInt8] {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      try await outbound.write(ByteBuffer(string: text))
      return try await inbound.reduce(into: []) { $0 += $1.readableBytesView }
    }
  }

  @Test("two of our own sides exchange many records over a socket")
  func ownClient() async throws {
    let context = try TLSContext(configuration: .client(trust: certificates.trust))
    let payload = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 251) }
    try await withServer { port in
      let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .connect(host: "127.0.0.1", port: port) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context, serverName: "127.0.0.1"))
            return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
          }
        }
      let received: [UInt8] = try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(ByteBuffer(bytes: payload))
        var received: [UInt8] = []
        for try await bytes in inbound {
          received += bytes.readableBytesView
          if received.count >= payload.count { break }
        }
        return received
      }
      let isWhole = received == payload
      #expect(isWhole)
    }
  }
}

private let openssl = "/usr/bin/openssl"
