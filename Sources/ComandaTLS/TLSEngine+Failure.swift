import COpenSSL

extension TLSEngine {
  /// Ends the connection after OpenSSL reported an error, and says why.
  func fail() -> TLSError {
    let wasHandshaking = state == .handshaking
    state = .failed
    let queue = OpenSSLErrorQueue.drain()
    if let alert = queue.alertFromPeer {
      return .refusedByPeer(alert: describe(alert: alert))
    }
    guard let reason = queue.tlsReason else {
      return .failure(queue.description)
    }
    switch reason {
    case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
      return .peerIsNotTLS(evidence.guess)
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_UNEXPECTED_MESSAGE, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_LENGTH_TOO_SHORT,
      SSL_R_BAD_RECORD_TYPE, SSL_R_UNSOLICITED_EXTENSION:
      return wasHandshaking && !evidence.beginsWithTLS
        ? .peerIsNotTLS(evidence.guess) : .protocolViolation(queue.description)
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION:
      return .unsupportedVersion(evidence.versionOffer)
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return .noSharedApplicationProtocol(evidence.applicationProtocolOffer)
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return .certificateRejected(rejection())
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return .certificateRejected("it presented none, and this server requires one")
    case SSL_R_CLIENTHELLO_TLSEXT, SSL_R_CALLBACK_FAILED:
      if evidence.applicationProtocols != nil {
        return .noSharedApplicationProtocol(evidence.applicationProtocolOffer)
      }
      return .protocolViolation(queue.description)
    default:
      return .protocolViolation(queue.description)
    }
  }

  /// Ends the connection because the peer exceeded a bound of ours.
  func failBound(_ problem: String) -> TLSError {
    close()
    state = .failed
    return .protocolViolation(problem)
  }

  /// Why the peer's certificate failed its verification.
  private func rejection() -> String {
    let result = SSL_get_verify_result(ssl)
    let reason = X509_verify_cert_error_string(result).map { String(cString: $0) } ?? "error \(result)"
    switch Int32(truncatingIfNeeded: result) {
    case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "it is not for \(serverName ?? "the expected name")"
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
      X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "\(reason); none of the trusted authorities signed it"
    default:
      return reason
    }
  }
}
