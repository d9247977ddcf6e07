import COpenSSL
import COpenSSLShims

extension TLSEngine {
  /// Makes a client insist on the server's name, and resume the last session with it.
  func expect(_ serverName: String?) throws(TLSError) {
    guard let serverName else { throw .configuration("a client must name the server that it expects") }
    guard let parameters = SSL_get0_param(ssl) else { throw .failure("the connection has no parameters") }
    X509_VERIFY_PARAM_set_hostflags(
      parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    if X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) != 1 {
      ERR_clear_error()
      guard isPlausible(hostName: serverName), X509_VERIFY_PARAM_set1_host(parameters, serverName, 0) == 1,
        shim_SSL_set_tlsext_host_name(ssl, serverName) == 1
      else {
        ERR_clear_error()
        throw .configuration("\(quote(serverName.utf8)) is neither a host name nor an IP address")
      }
    }
    if let session = context.takeSession(for: serverName) {
      SSL_set_session(ssl, session.pointer)
    }
  }

  /// What the completed handshake agreed on.
  func describeHandshake() -> TLSHandshake {
    var name: UnsafePointer<UInt8>?
    var nameCount: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &nameCount)
    let requested = context.isServer ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : nil
    return TLSHandshake(
      applicationProtocol: String(decoding: UnsafeBufferPointer(start: name, count: Int(nameCount)), as: UTF8.self),
      version: SSL_get_version(ssl).map { String(cString: $0) } ?? "",
      cipherSuite: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "",
      serverName: requested.map { String(cString: $0) } ?? serverName,
      peerCertificate: peerCertificate(),
      isResumed: SSL_session_reused(ssl) == 1)
  }

  private func peerCertificate() -> TLSPeerCertificate? {
    guard let pointer = SSL_get1_peer_certificate(ssl) else { return nil }
    let certificate = X509Reference(adopting: pointer)
    var digest = [UInt8](repeating: 0, count: 32)
    guard X509_digest(certificate.pointer, EVP_sha256(), &digest, nil) == 1 else { return nil }
    return TLSPeerCertificate(subject: certificate.subject, sha256: digest)
  }
}

/// DNS names as they stand in certificates: letters, digits, hyphens and dots, 253 at most.
func isPlausible(hostName: String) -> Bool {
  (1...253).contains(hostName.utf8.count)
    && hostName.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
      default:
        false
      }
    }
}
