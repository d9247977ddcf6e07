import ComandaRPC
import ComandaTLS
import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

extension RPCError {
  /// Why a connection could not be made, or ended: in words, without the types that they came in.
  ///
  /// UNAVAILABLE when trying again may help, UNAUTHENTICATED when the server is not one to be trusted.
  init(connecting error: any Error) {
    switch error {
    case let error as TLSError: self.init(error.statusCode, error.description)
    case let error as IOError:
      self.init(.unavailable, String(cString: strerror(error.errnoCode)).firstLetterLowercased)
    case ChannelError.connectTimeout(let limit):
      self.init(.unavailable, "it did not answer within \(limit.nanoseconds / 1_000_000) ms")
    default: self.init(.unavailable, "\(error)")
    }
  }

  /// Of calls that are open when their client is closed, or made after that.
  static func clientClosed(isRejected: Bool) -> RPCError {
    RPCError(.cancelled, "the client is closed", isRejected: isRejected)
  }
}

extension TLSError {
  fileprivate var statusCode: StatusCode {
    switch self {
    case .truncated, .closed, .closedDuringHandshake, .handshakeTimeout, .tooMuchHeldBack, .failure: .unavailable
    case .configuration, .peerIsNotTLS, .unsupportedVersion, .noSharedApplicationProtocol, .certificateRejected,
      .refusedByPeer, .protocolViolation:
      .unauthenticated
    }
  }
}

extension String {
  /// The C library's messages begin sentences; ours end them.
  var firstLetterLowercased: String {
    prefix(1).lowercased() + dropFirst()
  }
}
