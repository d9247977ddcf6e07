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
///
/// A credential that comes later makes another context, for the calls that are opened after it: what runs already goes
/// on as whoever opened it.
public final class ConnectionContext: Sendable {
  /// The peer's address as text, `127.0.0.1:52814`, for logs and audit records.
  public let remoteAddress: String
  /// What the peer's certificate proved, on a connection that asked for one.
  public let certificate: PeerCertificate?
  /// The bearer token that the peer sent for the calls to come.
  public let credential: String?

  private let resolved = Mutex<(any CallerIdentity)?>(nil)

  /// The context of a connection's calls.
  public init(remoteAddress: String, certificate: PeerCertificate? = nil, credential: String? = nil) {
    self.remoteAddress = remoteAddress
    self.certificate = certificate
    self.credential = credential
  }

  /// Whom the credential stands for, as the interceptor that authenticates found out and remembers here.
  public var identity: (any CallerIdentity)? {
    get { resolved.withLock { $0 } }
    set { resolved.withLock { $0 = newValue } }
  }
}
