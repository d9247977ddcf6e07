import Synchronization

/// A certificate of the caller's that was verified against the authority for clients (mTLS).
public struct PeerCertificate: Sendable, Hashable {
  /// The subject in the form of RFC 2253, `CN=pos-17,O=Example`.
  public let subject: String
  /// SHA-256 of the certificate in DER.
  public let sha256: [UInt8]

  /// A certificate.
  public init(subject: String, sha256: [UInt8]) {
    self.subject = subject
    self.sha256 = sha256
  }
}

/// What calls of one connection share: the peer's address, and the credential that it sent once for all of them.
public final class ConnectionContext: Sendable {
  /// The peer's address as text, `127.0.0.1:52814`, for logs and audit records.
  public let remoteAddress: String
  /// What the peer's certificate proved, on a connection that asked for one.
  public let certificate: PeerCertificate?

  private struct State {
    var credential: String?
    var identity: (any CallerIdentity)?
  }

  private let state = Mutex(State())

  /// The context of a new connection.
  public init(remoteAddress: String, certificate: PeerCertificate? = nil) {
    self.remoteAddress = remoteAddress
    self.certificate = certificate
  }

  /// The bearer token that the peer sent for the whole connection, and the identity that an interceptor resolved from it.
  public var caller: (credential: String?, identity: (any CallerIdentity)?) {
    state.withLock { ($0.credential, $0.identity) }
  }

  /// Replaces the connection's token; what was resolved from the old one is forgotten.
  public func setCredential(_ credential: String?) {
    state.withLock { $0 = State(credential: credential) }
  }

  /// Remembers who the connection's token stands for, unless the token changed meanwhile.
  public func setIdentity(_ identity: (any CallerIdentity)?, for credential: String) {
    state.withLock { state in
      if state.credential == credential { state.identity = identity }
    }
  }
}
