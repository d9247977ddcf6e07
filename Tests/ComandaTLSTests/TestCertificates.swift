import ComandaTestRun
import Foundation

@testable import ComandaTLS

/// Certificates made once for all tests, in memory.
struct TestCertificates: Sendable {
  static let shared = Result { try TestCertificates() }
  static let now = Int(Date().timeIntervalSince1970)

  let authority: CertificateWithKey
  let server: CertificateWithKey
  let client: CertificateWithKey
  /// Valid until yesterday.
  let expiredServer, expiredClient: CertificateWithKey
  /// A time at which they still were.
  static let beforeExpiry = now - 172_800
  /// An authority that nobody trusts.
  let stranger: CertificateWithKey

  init() throws {
    let now = TestCertificates.now
    authority = try .authority(named: "Test", now: now - 864_000, days: 20)
    server = try .server(names: ["localhost", "127.0.0.1", "::1"], signedBy: authority, now: now, days: 1)
    client = try .client(named: "pos-17", signedBy: authority, now: now, days: 1)
    expiredServer = try .server(names: ["localhost"], signedBy: authority, now: now - 172_800, days: 1)
    expiredClient = try .client(named: "pos-18", signedBy: authority, now: now - 172_800, days: 1)
    stranger = try .authority(named: "Stranger", now: now, days: 1)
  }

  var identity: TLSConfiguration.Identity {
    get throws { try server.identity }
  }

  var trust: TLSConfiguration.Trust {
    get throws { .authorities(try authority.pem) }
  }
}

extension CertificateWithKey {
  var pem: TLSConfiguration.PEM {
    get throws { .bytes(Array(try certificatePEM().utf8)) }
  }

  var identity: TLSConfiguration.Identity {
    get throws {
      TLSConfiguration.Identity(certificateChain: try pem, privateKey: .bytes(Array(try keyPEM().utf8)))
    }
  }
}

func testEnvironment(_ name: String) -> String? {
  ProcessInfo.processInfo.environment[name]
}

/// A folder that is removed at the end of the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = try TestRun.makeDirectory("tls")
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}
