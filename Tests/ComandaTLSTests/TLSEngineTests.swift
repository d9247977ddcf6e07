import NIOCore
import Testing

@testable import ComandaTLS

@Suite("TLS engine")
struct TLSEngineTests {
  @Test("two engines agree on TLS 1.3 and the application protocol")
  func agreement() throws {
    var pair = try EnginePair()
    try pair.shakeHands()
    for handshake in [pair.clientHandshake, pair.serverHandshake] {
      let handshake = try #require(handshake)
      #expect(handshake.version == "TLSv1.3")
      #expect(handshake.applicationProtocol == "comanda/1")
      #expect(handshake.serverName == "localhost")
      #expect(!handshake.isResumed)
    }
    #expect(pair.clientHandshake?.peerCertificate?.subject == "CN=localhost")
    #expect(pair.clientHandshake?.peerCertificate?.sha256.count == 32)
    #expect(pair.serverHandshake?.peerCertificate == nil)
  }
}
