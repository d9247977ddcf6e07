/// What the two sides agreed on.
public struct TLSHandshake: Equatable, Sendable {
  /// The protocol chosen by ALPN, such as `comanda/1`.
  public var applicationProtocol: String
  /// The TLS version, always `TLSv1.3`.
  public var version: String
  /// The cipher suite, such as `TLS_AES_128_GCM_SHA256`.
  public var cipherSuite: String
  /// The host that the client asked for (SNI), if it named one.
  public var serverName: String?
  /// The peer's verified certificate. A server sees one only if it asks for it.
  public var peerCertificate: TLSPeerCertificate?
  /// Whether a session ticket replaced the certificate exchange.
  public var isResumed: Bool
}

/// The peer's own certificate, after its chain was verified.
public struct TLSPeerCertificate: Equatable, Sendable {
  /// The subject in RFC 2253 form, such as `CN=pos-17,O=Example`.
  public var subject: String
  /// SHA-256 of its DER form, 32 bytes.
  public var sha256: [UInt8]
}

/// Sent through the pipeline, inbound, as a user event when the handshake has ended.
public struct TLSHandshakeCompleted: Equatable, Sendable {
  /// What was agreed.
  public var handshake: TLSHandshake
}
