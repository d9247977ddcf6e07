import Foundation

@testable import ComandaTLS

/// Certificates made once for all tests, in memory.
struct TestCertificates: Sendable {
  static let shared = Result { try TestCertificates() }

  let authority: CertificateWithKey
  let server: CertificateWithKey

  init() throws {
    let now = Int(Date().timeIntervalSince1970)
    authority = try .authority(named: "Test", now: now, days: 2)
    server = try .server(names: ["localhost", "127.0.0.1", "::1"], signedBy: authority, now: now, days: 1)
  }

  var identity: TLSConfiguration.Identity {
    get throws { try server.identity }
  }

  var trust: TLSConfiguration.Trust {
    get throws { .authorities(.bytes(Array(try authority.certificatePEM().utf8))) }
  }
}

extension CertificateWithKey {
  var identity: TLSConfiguration.Identity {
    get throws {
      TLSConfiguration.Identity(
        certificateChain: .bytes(Array(try certificatePEM().utf8)), privateKey: .bytes(Array(try keyPEM().utf8)))
    }
  }
}
