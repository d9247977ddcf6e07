import Foundation
import Testing

@testable import ComandaTLS

@Suite("development certificates")
struct DevelopmentCertificatesTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private var directory: String { folder.path + "/tls" }

  private func content(_ name: String) throws -> String {
    try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
  }

  @Test("a client that trusts the authority reaches the server by each of its names")
  func names() throws {
    let certificates = try DevelopmentCertificates(in: directory, names: ["comanda.internal", "192.0.2.7"])
    let server = try TLSContext(configuration: .server(certificates.identity))
    let client = try TLSContext(configuration: .client(trust: certificates.trust))
    for name in ["localhost", "127.0.0.1", "::1", "comanda.internal", "192.0.2.7"] {
      var pair = try EnginePair(client: client, server: server, serverName: name)
      try pair.shakeHands()
      #expect(pair.clientHandshake?.isResumed == false)
    }
    var stranger = try EnginePair(client: client, server: server, serverName: "192.0.2.8")
    #expect(throws: TLSError.certificateRejected("it is not for 192.0.2.8")) { try stranger.shakeHands() }
  }

  @Test("private keys are readable only by their owner")
  func permissions() throws {
    _ = try DevelopmentCertificates(in: directory)
    for (name, expected) in [("ca.key", 0o600), ("server.key", 0o600), ("ca.pem", 0o644), ("server.pem", 0o644)] {
      let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
      #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == expected, "\(name)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 4, "nothing else is left behind")
  }

  @Test("what is still good is kept")
  func kept() throws {
    _ = try DevelopmentCertificates(in: directory)
    let before = try (content("ca.pem"), content("server.pem"))
    _ = try DevelopmentCertificates(in: directory)
    #expect(try (content("ca.pem"), content("server.pem")) == before)
  }

  @Test("a server certificate is made anew for a further name, by the same authority")
  func furtherName() throws {
    _ = try DevelopmentCertificates(in: directory)
    let before = try (authority: content("ca.pem"), server: content("server.pem"))
    _ = try DevelopmentCertificates(in: directory, names: ["comanda.internal"])
    #expect(try content("ca.pem") == before.authority)
    #expect(try content("server.pem") != before.server)
  }

  @Test("certificates are made anew a month before they expire, and not before")
  func renewal() throws {
    let day = 86_400
    let start = TestCertificates.now
    _ = try DevelopmentCertificates(in: directory, now: start)
    let first = try (authority: content("ca.pem"), server: content("server.pem"))
    _ = try DevelopmentCertificates(in: directory, now: start + 794 * day)
    #expect(try content("server.pem") == first.server)
    _ = try DevelopmentCertificates(in: directory, now: start + 796 * day)
    #expect(try content("ca.pem") != first.authority)
    #expect(try content("server.pem") != first.server)
  }

  @Test("a server certificate never outlives the authority that signed it")
  func lifetime() throws {
    let day = 86_400
    let start = TestCertificates.now
    _ = try DevelopmentCertificates(in: directory, now: start)
    let authority = try content("ca.pem")
    let later = start + 700 * day
    _ = try DevelopmentCertificates(in: directory, names: ["comanda.internal"], now: later)
    #expect(try content("ca.pem") == authority)
    let server = try #require(
      CertificateWithKey(certificateFile: directory + "/server.pem", keyFile: directory + "/server.key"))
    #expect(server.isValid(inDays: 124, now: later))
    #expect(!server.isValid(inDays: 126, now: later))
  }

  @Test("a damaged key or certificate is replaced", arguments: ["ca.key", "ca.pem", "server.key", "server.pem"])
  func damage(name: String) throws {
    _ = try DevelopmentCertificates(in: directory)
    try "damaged".write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
    let certificates = try DevelopmentCertificates(in: directory)
    var pair = try EnginePair(
      client: TLSContext(configuration: .client(trust: certificates.trust)),
      server: TLSContext(configuration: .server(certificates.identity)))
    try pair.shakeHands()
  }

  @Test("a name that could smuggle in another is refused", arguments: ["a,DNS:b", "a b", "", "a\nb"])
  func badName(name: String) {
    #expect(throws: TLSError.self) { try DevelopmentCertificates(in: directory, names: [name]) }
  }

  @Test("a folder that cannot be made is named")
  func unusableFolder() throws {
    let file = folder.path + "/file"
    try "".write(toFile: file, atomically: true, encoding: .utf8)
    #expect(throws: TLSError.configuration("\(file)/tls cannot be made: Not a directory")) {
      try DevelopmentCertificates(in: file + "/tls")
    }
  }
}
