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
  private func connect(to server: TLSContext) throws -> EnginePair {
    var pair = try EnginePair(client: client, server: server)
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
    #expect(client.sessions?.take(for: "localhost") != nil)
    #expect(client.sessions?.take(for: "localhost") == nil)
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

  @Test("the cache keeps to its capacity")
  func capacity() throws {
    let cache = TLSSessionCache(capacity: 2)
    _ = try connect(to: server(TicketKeys()))
    let session = try #require(client.sessions?.take(for: "localhost"))
    for name in ["a", "b", "c"] { cache.keep(session, for: name) }
    #expect(["a", "b", "c"].count { cache.take(for: $0) != nil } == 2)
  }
}
