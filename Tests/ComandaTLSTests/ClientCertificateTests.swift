import NIOCore
import Testing

@testable import ComandaTLS

@Suite("TLS client certificates")
struct ClientCertificateTests {
  let certificates: TestCertificates
  let server: TLSContext

  init() throws {
    certificates = try TestCertificates.shared.get()
    server = try TLSContext(
      configuration: .server(certificates.identity, clientAuthority: certificates.authority.pem))
  }

  @Test("a server that asks for a client certificate learns its subject")
  func subject() throws {
    let client = try TLSContext(
      configuration: .client(trust: certificates.trust, identity: certificates.client.identity))
    var pair = try EnginePair(client: client, server: server)
    try pair.shakeHands()
    #expect(pair.serverHandshake?.peerCertificate?.subject == "CN=pos-17")
  }

  /// In TLS 1.3 a client is done before the server has seen its certificate, and learns of the refusal when it reads.
  private func refusal(of identity: TLSConfiguration.Identity?) throws -> (server: TLSError?, client: TLSError?) {
    let client = try TLSContext(configuration: .client(trust: certificates.trust, identity: identity))
    var pair = try EnginePair(client: client, server: server)
    let error = #expect(throws: TLSError.self) { try pair.shakeHands() }
    pair.server.send(to: pair.client)
    return (error, #expect(throws: TLSError.self) { try pair.client.readAll() })
  }

  @Test("a client without a certificate is refused, and told that one is required")
  func missing() throws {
    let errors = try refusal(of: nil)
    #expect(errors.server == .certificateRejected("it presented none, and this server requires one"))
    #expect(errors.client == .refusedByPeer(alert: "certificate required (it expects a client certificate)"))
  }

  @Test("a client certificate of another authority is refused")
  func stranger() throws {
    let other = try CertificateWithKey.client(
      named: "pos-17", signedBy: certificates.stranger, now: TestCertificates.now, days: 1)
    guard case .certificateRejected = try refusal(of: other.identity).server else {
      Issue.record("the stranger was let in")
      return
    }
  }

  @Test("a server's certificate does not pass for a client's")
  func wrongPurpose() throws {
    let errors = try refusal(of: certificates.identity)
    #expect(errors.server == .certificateRejected("unsuitable certificate purpose"))
  }
}
