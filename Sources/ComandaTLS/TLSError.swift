/// Why a TLS connection, or the set-up of one, failed.
///
/// Descriptions are written for an operator's log. They quote certificate names and file paths, never keys.
public enum TLSError: Error, Equatable, Sendable {
  /// A certificate, key or setting cannot be used; says which, and what would be right.
  case configuration(String)
  /// The first bytes were not TLS; says what they look like.
  case peerIsNotTLS(String)
  /// The peer does not offer TLS 1.3.
  case unsupportedVersion(String)
  /// The two sides speak no application protocol in common.
  case noSharedApplicationProtocol(String)
  /// This side refused the peer's certificate.
  case certificateRejected(String)
  /// The peer ended the connection with a fatal alert.
  case refusedByPeer(alert: String)
  /// The peer closed the connection before the handshake was complete.
  case closedDuringHandshake
  /// The handshake took longer than allowed.
  case handshakeTimeout
  /// The peer broke the protocol, or bytes were altered on the way.
  case protocolViolation(String)
  /// The peer closed the connection without `close_notify`: what it sent last may be missing (RFC 8446, 6.1).
  case truncated
  /// More was written before the end of the handshake than is held back.
  case tooMuchHeldBack(limit: Int)
  /// The connection is closed, or closing.
  case closed
  /// The library failed on this side, for example for lack of memory.
  case failure(String)
}

extension TLSError: CustomStringConvertible {
  /// The failure in words.
  public var description: String {
    switch self {
    case .configuration(let problem): problem
    case .peerIsNotTLS(let guess): "the peer does not speak TLS: \(guess)"
    case .unsupportedVersion(let offered): "TLS 1.3 is required, \(offered)"
    case .noSharedApplicationProtocol(let offered): "no shared application protocol (ALPN): \(offered)"
    case .certificateRejected(let reason): "the peer's certificate was refused: \(reason)"
    case .refusedByPeer(let alert): "the peer refused: \(alert)"
    case .closedDuringHandshake: "the peer closed the connection during the TLS handshake"
    case .handshakeTimeout: "the TLS handshake took too long"
    case .protocolViolation(let problem): "TLS protocol violation: \(problem)"
    case .truncated: "the peer closed the connection without close_notify; its last bytes may be missing"
    case .tooMuchHeldBack(let limit): "more than \(limit) bytes were written before the TLS handshake was complete"
    case .closed: "the TLS connection is closed"
    case .failure(let problem): "TLS failed on this side: \(problem)"
    }
  }
}
