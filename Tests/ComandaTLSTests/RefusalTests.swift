import COpenSSL
import NIOCore
import Testing

@testable import ComandaTLS

@Suite("TLS refusals")
struct RefusalTests {
  let certificates: TestCertificates

  init() throws {
    certificates = try TestCertificates.shared.get()
  }

  private func server() throws -> TLSEngine {
    try TLSEngine(context: TLSContext(configuration: .server(certificates.identity)), serverName: nil)
  }

  private func client(trust: TLSConfiguration.Trust? = nil, of serverName: String = "localhost") throws -> TLSEngine {
    let trust = try trust ?? certificates.trust
    return try TLSEngine(context: TLSContext(configuration: .client(trust: trust)), serverName: serverName)
  }

  /// How the handshake of two engines ends on each side.
  private func outcomes(client: TLSEngine, server: TLSEngine) -> (client: TLSError?, server: TLSError?) {
    var errors: (client: TLSError?, server: TLSError?)
    func step(_ engine: TLSEngine) -> TLSError? {
      do throws(TLSError) {
        _ = try engine.handshake()
        var plaintext = ByteBuffer()
        _ = try engine.read(into: &plaintext, atMost: 1)
        return nil
      } catch {
        return error
      }
    }
    for _ in 0..<4 {
      errors.client = errors.client ?? step(client)
      client.send(to: server)
      errors.server = errors.server ?? step(server)
      server.send(to: client)
    }
    return errors
  }

  @Test("a client refuses a server whose authority it does not trust, and the server learns why")
  func wrongAuthority() throws {
    let errors = outcomes(client: try client(trust: .authorities(certificates.stranger.pem)), server: try server())
    guard case .certificateRejected(let reason)? = errors.client else {
      Issue.record("the client went on: \(String(describing: errors.client))")
      return
    }
    #expect(reason.contains("none of the trusted authorities signed it"))
    #expect(
      errors.server
        == .refusedByPeer(alert: "unknown certificate authority (it does not trust who signed our certificate)"))
  }

  @Test("a client refuses a certificate for another name or address", arguments: ["example.com", "192.0.2.1", "::2"])
  func wrongName(name: String) throws {
    let errors = outcomes(client: try client(of: name), server: try server())
    #expect(errors.client == .certificateRejected("it is not for \(name)"))
  }

  @Test("a client accepts each name and address in the certificate", arguments: ["localhost", "127.0.0.1", "::1"])
  func rightName(name: String) throws {
    let errors = outcomes(client: try client(of: name), server: try server())
    #expect(errors == (nil, nil))
  }

  @Test("a client refuses an expired certificate")
  func expired() throws {
    let client = try client()
    let server = try ForeignPeer.server(certificates.expiredServer)
    _ = try client.handshake()
    server.receive(try #require(client.takeCiphertext()))
    _ = server.step()
    client.receive(ciphertext: server.takeCiphertext())
    #expect(throws: TLSError.certificateRejected("certificate has expired")) { try client.handshake() }
  }

  @Test("a client refuses a server that chooses no application protocol")
  func silentServer() throws {
    let client = try client()
    let server = try ForeignPeer.server(certificates.server)
    _ = try client.handshake()
    server.receive(try #require(client.takeCiphertext()))
    _ = server.step()
    client.receive(ciphertext: server.takeCiphertext())
    #expect(throws: TLSError.noSharedApplicationProtocol("the server chose none")) { try client.handshake() }
  }

  @Test("a client refuses a server that has only TLS 1.2")
  func oldServer() throws {
    let client = try client()
    let server = try ForeignPeer.server(certificates.server, maximumVersion: TLS1_2_VERSION)
    _ = try client.handshake()
    server.receive(try #require(client.takeCiphertext()))
    _ = server.step()
    client.receive(ciphertext: server.takeCiphertext())
    #expect(throws: TLSError.refusedByPeer(alert: "protocol version (it does not speak TLS 1.3)")) {
      try client.handshake()
    }
  }

  /// Lets a foreign client knock, and gives the server's error and the number of the alert that it sent.
  private func knock(_ client: ForeignPeer) throws -> (error: TLSError?, alert: UInt8?) {
    let server = try server()
    _ = client.step()
    server.receive(ciphertext: client.takeCiphertext())
    let error = #expect(throws: TLSError.self) { try server.handshake() }
    client.receive(try #require(server.takeCiphertext()))
    return (error, client.step())
  }

  @Test("a TLS 1.2 client is refused with protocol_version")
  func oldClient() throws {
    let client = try ForeignPeer.client(maximumVersion: TLS1_2_VERSION, applicationProtocols: ["comanda/1"])
    let (error, alert) = try knock(client)
    #expect(error == .unsupportedVersion("the peer offers only TLS 1.2 or older"))
    #expect(alert == 70)
  }

  @Test("a client that speaks other protocols is refused with no_application_protocol")
  func otherProtocols() throws {
    let client = try ForeignPeer.client(applicationProtocols: ["h2", "http/1.1"])
    let (error, alert) = try knock(client)
    #expect(error == .noSharedApplicationProtocol("the peer offered \"h2\", \"http/1.1\""))
    #expect(alert == 120)
  }

  @Test("a client without ALPN is refused with no_application_protocol")
  func noProtocol() throws {
    let (error, alert) = try knock(.client(applicationProtocols: []))
    #expect(error == .noSharedApplicationProtocol("the peer offered none"))
    #expect(alert == 120)
  }

  /// What speaks something else, and what the log should call it.
  static let strangers = [
    ("GET / HTTP/1.1\r\n\r\n", "it speaks HTTP"), ("POST /orders HTTP/1.1\r\n", "it speaks HTTP"),
    ("DELETE / HTTP/1.1\r\n\r\n", "it speaks HTTP"), ("CONNECT a:1 HTTP/1.1\r\n", "it speaks HTTP"),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "it speaks HTTP/2 without TLS"), ("SSH-2.0-OpenSSH_9\r\n", "it speaks SSH"),
    ("\r\n\r\n\0\r\nQUIT\n!", "it sends a PROXY protocol header, which this listener does not expect"),
    ("\u{1}\u{2}\"hello there", "it began with \"\\x01\\x02\\\"hello there\""),
  ]

  @Test("a peer that speaks something else is named", arguments: strangers)
  func stranger(bytes: String, name: String) throws {
    let server = try server()
    server.receive(ciphertext: ByteBuffer(string: bytes))
    #expect(throws: TLSError.peerIsNotTLS(name)) { try server.handshake() }
  }

  @Test("a server that speaks HTTP is named to the client")
  func plainServer() throws {
    let client = try client()
    _ = try client.handshake()
    client.receive(ciphertext: ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
    #expect(throws: TLSError.peerIsNotTLS("it speaks HTTP")) { try client.handshake() }
  }

  @Test("random bytes are refused without harm", arguments: testSeeds)
  func noise(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let context = try TLSContext(configuration: .server(certificates.identity))
    var refusals = 0
    for _ in 0..<200 {
      let server = try TLSEngine(context: context, serverName: nil)
      var bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
      if Bool.random(using: &random) { bytes.replaceSubrange(0..<5, with: [0x16, 3, 1, 0, 200]) }
      server.receive(ciphertext: ByteBuffer(bytes: bytes))
      do {
        // What begins like a record that is longer than the bytes there are is waited for.
        #expect(try server.handshake() == nil, "seed \(seed)")
      } catch {
        refusals += 1
      }
    }
    #expect(refusals > 190, "seed \(seed)")
  }

  @Test("a ClientHello with any one byte changed neither traps nor opens the connection", arguments: testSeeds)
  func mutatedHello(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let context = try TLSContext(configuration: .server(certificates.identity))
    let client = try client()
    _ = try client.handshake()
    let hello = Array(try #require(client.takeCiphertext()).readableBytesView)
    for position in hello.indices {
      let server = try TLSEngine(context: context, serverName: nil)
      var bytes = hello
      bytes[position] ^= UInt8.random(in: 1...255, using: &random)
      server.receive(ciphertext: ByteBuffer(bytes: bytes))
      let handshake = try? server.handshake()
      #expect(handshake == nil, "seed \(seed)")
    }
  }

  @Test("a server name that is none is refused before anything is sent", arguments: ["", "a b", "a\0b", "ex,DNS:b"])
  func badName(name: String) {
    #expect(throws: TLSError.self) { try client(of: name) }
  }

  @Test("a client without the name of its server is a mistake")
  func noName() throws {
    let context = try TLSContext(configuration: .client(trust: certificates.trust))
    #expect(throws: TLSError.configuration("a client must name the server that it expects")) {
      try TLSEngine(context: context, serverName: nil)
    }
  }
}
