import COpenSSL

/// The errors that OpenSSL queued on this thread, oldest first.
struct OpenSSLErrorQueue: CustomStringConvertible {
  struct Entry {
    let library: Int32
    let reason: Int32
    let text: String
  }

  let entries: [Entry]

  /// Forgets errors of earlier calls, which `SSL_get_error` would take for those of the next.
  ///
  /// Looking first spares each record the walk over all 16 slots of an empty queue.
  static func clear() {
    if ERR_peek_error() != 0 {
      ERR_clear_error()
    }
  }

  /// Empties the queue. OpenSSL bounds it to 16 errors.
  static func drain() -> OpenSSLErrorQueue {
    var entries: [Entry] = []
    while case let code = ERR_get_error(), code != 0 {
      let text = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)"
      entries.append(Entry(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code), text: text))
    }
    return OpenSSLErrorQueue(entries: entries)
  }

  /// The reason of the first error that libssl itself raised; others tell what went wrong beneath it.
  var tlsReason: Int32? {
    entries.first { $0.library == ERR_LIB_SSL }?.reason
  }

  /// The alert that the peer sent, if that is what failed.
  var alertFromPeer: UInt8? {
    guard let reason = tlsReason, reason > SSL_AD_REASON_OFFSET else { return nil }
    return UInt8(exactly: reason - SSL_AD_REASON_OFFSET)
  }

  var description: String {
    entries.isEmpty ? "OpenSSL gave no reason" : entries.map(\.text).joined(separator: "; ")
  }
}

/// What a peer meant by an alert (RFC 8446, 6.2), with its usual cause.
func describe(alert: UInt8) -> String {
  switch Int32(alert) {
  case SSL_AD_UNEXPECTED_MESSAGE: "unexpected message"
  case SSL_AD_BAD_RECORD_MAC: "a record did not decrypt (altered on the way)"
  case SSL_AD_RECORD_OVERFLOW: "a record was too long"
  case SSL_AD_HANDSHAKE_FAILURE: "handshake failure (no parameters in common)"
  case SSL_AD_BAD_CERTIFICATE: "bad certificate"
  case SSL_AD_UNSUPPORTED_CERTIFICATE: "unsupported certificate"
  case SSL_AD_CERTIFICATE_REVOKED: "certificate revoked"
  case SSL_AD_CERTIFICATE_EXPIRED: "certificate expired"
  case SSL_AD_CERTIFICATE_UNKNOWN: "certificate unknown"
  case SSL_AD_UNKNOWN_CA: "unknown certificate authority (it does not trust who signed our certificate)"
  case SSL_AD_ACCESS_DENIED: "access denied"
  case SSL_AD_DECODE_ERROR: "a message could not be decoded"
  case SSL_AD_DECRYPT_ERROR: "a signature or key check failed"
  case SSL_AD_PROTOCOL_VERSION: "protocol version (it does not speak TLS 1.3)"
  case SSL_AD_INSUFFICIENT_SECURITY: "insufficient security"
  case SSL_AD_INTERNAL_ERROR: "internal error on its side"
  case SSL_AD_UNRECOGNIZED_NAME: "unrecognized server name"
  case TLS13_AD_CERTIFICATE_REQUIRED: "certificate required (it expects a client certificate)"
  case SSL_AD_NO_APPLICATION_PROTOCOL: "no shared application protocol (ALPN)"
  default: "alert \(alert)"
  }
}
