import COpenSSL
import NIOCore
import Testing

@testable import ComandaTLS

@Suite("TLS session resumption")
struct ResumptionTests {
  let certificates: TestCertificates
  /// One cache for all connections of a test's client.
  let client: TLSContext

  init() throws {
    certificates = try TestCertificates.shared.get()
    client = try TLSContext(
      configuration: .client(trust: certificates.trust, identity: certificates.client.identity))
  }

  /// Connects, and takes the ticket that the server sends after the handshake.
  private func connect(
    _ client: TLSContext? = nil, to server: TLSContext, serverName: String = "localhost"
  ) throws -> EnginePair {
    var pair = try EnginePair(client: client ?? self.client, server: server, serverName: serverName)
    try pair.shakeHands()
    _ = try pair.client.readAll()
    return pair
  }

  private func server(_ keys: TicketKeys?, clientAuthority: TLSConfiguration.PEM? = nil) throws -> TLSContext {
    try TLSContext(
      configuration: .server(certificates.identity, clientAuthority: clientAuthority), ticketKeys: keys)
  }

  @Test("a session is resumed on another context that has the same ticket keys")
  func sharedKeys() throws {
    let keys = try TicketKeys()
    #expect(try connect(to: server(keys)).serverHandshake?.isResumed == false)
    let pair = try connect(to: server(keys))
    #expect(pair.serverHandshake?.isResumed == true)
    #expect(pair.clientHandshake?.isResumed == true)
    #expect(pair.clientHandshake?.applicationProtocol == "comanda/1")
    #expect(pair.clientHandshake?.peerCertificate?.subject == "CN=localhost")
    try pair.client.write(ByteBuffer(string: "resumed"))
    pair.client.send(to: pair.server)
    #expect(try pair.server.readAll() == Array("resumed".utf8))
  }

  @Test("a session whose connection was refused later is not resumed")
  func failedSession() throws {
    let server = try server(TicketKeys())
    let pair = try connect(to: server)
    pair.client.receive(ciphertext: ByteBuffer(string: "this is no record"))
    #expect(throws: TLSError.self) { try pair.client.readAll() }
    withExtendedLifetime(pair) {}
    _ = consume pair
    #expect(try connect(to: server).serverHandshake?.isResumed == false)
  }

  @Test("a replica that was given the same key bytes resumes too")
  func replica() throws {
    let bytes = (0..<TicketKeys.Key.byteCount).map { UInt8($0) }
    let key = try #require(TicketKeys.Key(bytes: bytes))
    _ = try connect(to: server(TicketKeys([key])))
    #expect(try connect(to: server(TicketKeys([key]))).serverHandshake?.isResumed == true)
    #expect(TicketKeys.Key(bytes: bytes.dropLast()) == nil)
  }

  @Test("other ticket keys, or none, mean a full handshake and not a failure")
  func otherKeys() throws {
    _ = try connect(to: server(TicketKeys()))
    #expect(try connect(to: server(TicketKeys())).serverHandshake?.isResumed == false)
    #expect(try connect(to: server(nil)).serverHandshake?.isResumed == false)
    #expect(try connect(to: server(TicketKeys())).serverHandshake?.isResumed == false, "no ticket came without keys")
  }

  @Test("a ticket outlives as many rotations as keys are retained, less one")
  func rotation() throws {
    let keys = try TicketKeys(retained: 3)
    let context = try server(keys)
    _ = try connect(to: context)
    try keys.rotate(to: .random())
    try keys.rotate(to: .random())
    #expect(try connect(to: context).serverHandshake?.isResumed == true)
    for _ in 0..<3 { try keys.rotate(to: .random()) }
    #expect(try connect(to: context).serverHandshake?.isResumed == false)
  }

  @Test("each ticket is used once, and each connection brings the next")
  func oneTicketEach() throws {
    let context = try server(TicketKeys())
    _ = try connect(to: context)
    for _ in 0..<3 { #expect(try connect(to: context).serverHandshake?.isResumed == true) }
    #expect(client.takeSession(for: "localhost") != nil)
    #expect(client.takeSession(for: "localhost") == nil)
    #expect(try connect(to: context).serverHandshake?.isResumed == false)
  }

  @Test("a session is not resumed under another client authority")
  func otherClientAuthority() throws {
    let keys = try TicketKeys()
    _ = try connect(to: server(keys))
    let strict = try server(keys, clientAuthority: certificates.authority.pem)
    let pair = try connect(to: strict)
    #expect(pair.serverHandshake?.isResumed == false)
    #expect(pair.serverHandshake?.peerCertificate?.subject == "CN=pos-17")
    let again = try connect(to: strict)
    #expect(again.serverHandshake?.isResumed == true)
    #expect(again.serverHandshake?.peerCertificate == pair.serverHandshake?.peerCertificate)
  }

  /// A client that shares its sessions with others.
  private func client(
    _ sessions: TLSSessionCache, trust: CertificateWithKey? = nil, identity: CertificateWithKey? = nil
  ) throws -> TLSContext {
    try TLSContext(
      configuration: .client(
        trust: .authorities((trust ?? certificates.authority).pem), identity: identity?.identity, sessions: sessions))
  }

  @Test("a client whose certificate has expired is refused, fresh and with a ticket of when it was valid")
  func expiredClientCertificate() throws {
    let (keys, sessions) = (try TicketKeys(), TLSSessionCache())
    let expired = try client(sessions)
    expired.present(certificates.expiredClient)
    let server = try server(keys, clientAuthority: certificates.authority.pem)
    let refusal = TLSError.certificateRejected("certificate has expired")
    #expect(throws: refusal) { try connect(expired, to: server) }

    let earlier = try self.server(keys, clientAuthority: certificates.authority.pem)
    earlier.verify(asOf: TestCertificates.beforeExpiry)
    #expect(try connect(expired, to: earlier).serverHandshake?.peerCertificate?.subject == "CN=pos-18")
    #expect(throws: refusal) { try connect(expired, to: server) }
  }

  @Test("a server whose certificate has expired is refused, fresh and with a ticket of when it was valid")
  func expiredServerCertificate() throws {
    let (sessions, server) = (TLSSessionCache(), try server(TicketKeys()))
    server.present(certificates.expiredServer)
    let (earlier, now) = (try client(sessions), try client(sessions))
    earlier.verify(asOf: TestCertificates.beforeExpiry)
    let refusal = TLSError.certificateRejected("certificate has expired")
    #expect(throws: refusal) { try connect(now, to: server) }
    _ = try connect(earlier, to: server)
    #expect(throws: refusal) { try connect(now, to: server) }
  }

  @Test("clients that share a cache resume only with the same authorities, the same identity and the same server name")
  func clientScope() throws {
    let (sessions, server) = (TLSSessionCache(), try server(TicketKeys()))
    _ = try connect(client(sessions), to: server)
    #expect(throws: TLSError.self) { try connect(client(sessions, trust: certificates.stranger), to: server) }
    let identified = try client(sessions, identity: certificates.client)
    #expect(try connect(identified, to: server).serverHandshake?.isResumed == false)
    #expect(try connect(client(sessions), to: server, serverName: "127.0.0.1").serverHandshake?.isResumed == false)
    #expect(try connect(client(sessions), to: server).serverHandshake?.isResumed == true)
  }

  @Test("tickets renew each other for a day, and then the keys of the certificates have to be proved again")
  func chainOfTickets() throws {
    let (keys, start) = (try TicketKeys(), TestCertificates.now)
    func server(after seconds: Int) throws -> TLSContext {
      try TLSContext(configuration: .server(certificates.identity), ticketKeys: keys, now: { start + seconds })
    }
    #expect(try connect(to: server(after: 0)).serverHandshake?.isResumed == false)
    for hour in [1, 12, 24] {
      #expect(try connect(to: server(after: hour * 3_600)).serverHandshake?.isResumed == true)
    }
    #expect(try connect(to: server(after: 24 * 3_600 + 1)).serverHandshake?.isResumed == false)
    #expect(try connect(to: server(after: 25 * 3_600)).serverHandshake?.isResumed == true)
  }

  @Test("the cache keeps to its capacity")
  func capacity() throws {
    let cache = TLSSessionCache(capacity: 2)
    _ = try connect(to: server(TicketKeys()))
    let session = try #require(client.takeSession(for: "localhost"))
    let keys = ["a", "b", "c"].map { TLSSessionCache.Key(serverName: $0, scope: []) }
    for key in keys { cache.keep(session, for: key) }
    #expect(keys.count { cache.take(for: $0) != nil } == 2)
  }
}

extension TLSContext {
  /// Presents a certificate unchecked, as it stays in a process that runs past its end.
  fileprivate func present(_ identity: CertificateWithKey) {
    #expect(SSL_CTX_use_certificate(pointer, identity.certificate.pointer) == 1)
    #expect(SSL_CTX_use_PrivateKey(pointer, identity.key.pointer) == 1)
  }

  /// Checks certificates of full handshakes as if it were another time, in seconds since 1970.
  fileprivate func verify(asOf time: Int) {
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(pointer), time)
  }
}
