import Foundation
import Testing

@testable import ComandaTLS

@Suite("TLS configuration")
struct ConfigurationTests {
  let certificates: TestCertificates
  let folder: TemporaryFolder

  init() throws {
    certificates = try TestCertificates.shared.get()
    folder = try TemporaryFolder()
  }

  private func file(_ name: String, _ content: String) throws -> String {
    let path = folder.path + "/" + name
    try content.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// What a server says to this certificate and key.
  private func problem(certificate: String, key: String) -> String {
    let identity = TLSConfiguration.Identity(certificateChain: .file(certificate), privateKey: .file(key))
    let error = #expect(throws: TLSError.self) { try TLSContext(configuration: .server(identity)) }
    guard case .configuration(let text)? = error else {
      Issue.record("not a configuration error: \(String(describing: error))")
      return ""
    }
    return text
  }

  @Test("a missing file is named, with the system's reason")
  func missingFile() throws {
    let path = folder.path + "/none.pem"
    #expect(
      problem(certificate: path, key: path)
        == "server certificate \(path) cannot be read: No such file or directory")
    let certificate = try file("server.pem", certificates.server.certificatePEM())
    #expect(
      problem(certificate: certificate, key: path)
        == "server private key \(path) cannot be read: No such file or directory")
  }

  @Test("a folder in place of a file is named")
  func folderAsFile() {
    #expect(
      problem(certificate: folder.path, key: folder.path)
        == "server certificate \(folder.path) cannot be read: Is a directory")
  }

  @Test("a key of another certificate is told apart from a damaged one")
  func mismatch() throws {
    let certificate = try file("server.pem", certificates.server.certificatePEM())
    let key = try file("server.key", certificates.client.keyPEM())
    #expect(
      problem(certificate: certificate, key: key)
        == "the server private key \(key) does not belong to the first certificate in "
        + "the server certificate \(certificate)")
    let damaged = try file("damaged.key", certificates.server.keyPEM().replacing("M", with: "?"))
    #expect(
      problem(certificate: certificate, key: damaged).hasSuffix("expected a PEM private key without a passphrase"))
    let none = try file("none.key", "no key here\n")
    #expect(problem(certificate: certificate, key: none).contains("holds no private key"))
  }

  @Test("an expired certificate is refused at start, with its date")
  func expired() throws {
    let certificate = try file("expired.pem", certificates.expiredServer.certificatePEM())
    let key = try file("expired.key", certificates.expiredServer.keyPEM())
    #expect(problem(certificate: certificate, key: key).contains("the certificate of CN=localhost expired on 20"))
  }

  @Test("a certificate that is not valid yet is refused at start")
  func early() throws {
    let early = try CertificateWithKey.server(
      names: ["localhost"], signedBy: certificates.authority, now: TestCertificates.now + 86_400, days: 1)
    let certificate = try file("early.pem", early.certificatePEM())
    let key = try file("early.key", early.keyPEM())
    #expect(problem(certificate: certificate, key: key).contains("is not valid before 20"))
  }

  @Test("a file without a certificate, and one whose second certificate is damaged, are told apart")
  func damagedCertificate() throws {
    let key = try file("server.key", certificates.server.keyPEM())
    let empty = try file("empty.pem", "")
    #expect(problem(certificate: empty, key: key).contains("holds no certificate"))
    let good = try certificates.server.certificatePEM()
    let damaged = try file("damaged.pem", good + good.replacing("M", with: "?"))
    #expect(problem(certificate: damaged, key: key).contains("holds a damaged certificate (number 2 in it)"))
  }

  @Test("a client accepts a chain whose authority comes second in the server's file")
  func chain() throws {
    let pem = try certificates.server.certificatePEM() + certificates.authority.certificatePEM()
    let identity = TLSConfiguration.Identity(
      certificateChain: .bytes(Array(pem.utf8)), privateKey: try certificates.identity.privateKey)
    var pair = try EnginePair(
      client: TLSContext(configuration: .client(trust: certificates.trust)),
      server: TLSContext(configuration: .server(identity)))
    try pair.shakeHands()
    #expect(pair.clientHandshake?.peerCertificate?.subject == "CN=localhost")
  }

  @Test("the system's authorities can be trusted instead of named ones")
  func systemTrust() throws {
    var pair = try EnginePair(
      client: TLSContext(configuration: .client(trust: .system)),
      server: TLSContext(configuration: .server(certificates.identity)))
    #expect(throws: TLSError.self) { try pair.shakeHands() }
  }

  @Test("an application protocol without a name is refused")
  func emptyProtocol() throws {
    #expect(throws: TLSError.configuration("application protocol \"\" must have 1 to 255 bytes")) {
      try TLSContext(configuration: .client(trust: certificates.trust, applicationProtocols: [""]))
    }
  }
}
