/// What one side of a TLS connection presents, and what it accepts from the other.
///
/// Only TLS 1.3 with an agreed application protocol is spoken, so neither can be weakened here.
/// The files it names are read when a ``TLSContext`` is made, not before.
public struct TLSConfiguration: Sendable {
  /// Comanda's own protocol, as registered in ALPN (RFC 7301).
  public static let applicationProtocol = "comanda/1"

  /// Where PEM text comes from.
  public enum PEM: Sendable, Equatable {
    /// A file, read each time a context is made, so that a renewed certificate is picked up.
    case file(String)
    /// The text itself.
    case bytes([UInt8])
  }

  /// A certificate and the private key that proves it.
  public struct Identity: Sendable, Equatable {
    /// The own certificate first, then the intermediates up to, without, the root.
    public var certificateChain: PEM
    /// The private key of the first certificate, not encrypted.
    public var privateKey: PEM

    /// Names a certificate chain and its key.
    public init(certificateChain: PEM, privateKey: PEM) {
      self.certificateChain = certificateChain
      self.privateKey = privateKey
    }
  }

  /// Whose signature makes a peer's certificate acceptable.
  public enum Trust: Sendable, Equatable {
    /// The certificate authorities of the operating system.
    case system
    /// These certificate authorities and no others.
    case authorities(PEM)
  }

  enum Role: Sendable {
    case server(Identity, clientAuthority: PEM?)
    case client(Trust, Identity?, TLSSessionCache?)
  }

  let role: Role
  let applicationProtocols: [String]

  /// A server with its certificate.
  ///
  /// - Parameters:
  ///   - clientAuthority: With it every client must present a certificate that it signed (mTLS);
  ///     without it none is asked for.
  ///   - applicationProtocols: In order of preference. A client that offers none of them is refused with the alert
  ///     `no_application_protocol`.
  public static func server(
    _ identity: Identity,
    clientAuthority: PEM? = nil,
    applicationProtocols: [String] = [applicationProtocol]
  ) -> TLSConfiguration {
    TLSConfiguration(
      role: .server(identity, clientAuthority: clientAuthority), applicationProtocols: applicationProtocols)
  }

  /// A client that checks the server's certificate and name.
  ///
  /// - Parameters:
  ///   - identity: Presented to a server that asks for a certificate.
  ///   - sessions: Where session tickets are kept, to resume without a full handshake. Contexts of one configuration
  ///     share it. Between different ones it may be shared too: a session is only resumed with the same authorities
  ///     and the same own certificate.
  public static func client(
    trust: Trust,
    identity: Identity? = nil,
    applicationProtocols: [String] = [applicationProtocol],
    sessions: TLSSessionCache? = TLSSessionCache()
  ) -> TLSConfiguration {
    TLSConfiguration(role: .client(trust, identity, sessions), applicationProtocols: applicationProtocols)
  }
}
