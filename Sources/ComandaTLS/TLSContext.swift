import COpenSSL
import COpenSSLShims

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A checked configuration, ready to start connections: an `SSL_CTX`.
///
/// Make one for each event loop, since OpenSSL 3.0 takes locks of the context on each handshake. It costs about a
/// millisecond and 20 KiB. A reloaded certificate is a new context; connections keep the one they began with.
///
/// `@unchecked Sendable`: the `SSL_CTX` is not changed after `init`, and OpenSSL itself guards what connections do to it
/// (reference counts, statistics).
public final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer
  let isServer: Bool
  let applicationProtocols: [String]
  let ticketKeys: TicketKeys?
  let sessions: TLSSessionCache?
  /// A digest of what sessions depend on: whom this side trusts and, on a client, what it presents. A session that was
  /// begun under another is not resumed.
  private(set) var sessionScope: [UInt8] = []
  let requiresClientCertificate: Bool
  /// The time in seconds since 1970, by which sessions are judged.
  let now: @Sendable () -> Int

  /// Reads and checks the certificates, keys and authorities that `configuration` names.
  ///
  /// - Parameter ticketKeys: Lets clients resume sessions; give all contexts of a server the same. Without keys, and on
  ///   a client, no tickets are issued.
  /// - Throws: ``TLSError/configuration(_:)`` that says what is wrong with which file.
  public convenience init(configuration: TLSConfiguration, ticketKeys: TicketKeys? = nil) throws(TLSError) {
    try self.init(configuration: configuration, ticketKeys: ticketKeys, now: { time(nil) })
  }

  init(
    configuration: TLSConfiguration, ticketKeys: TicketKeys?, now: @escaping @Sendable () -> Int
  ) throws(TLSError) {
    self.now = now
    applicationProtocols = configuration.applicationProtocols
    self.ticketKeys = ticketKeys
    switch configuration.role {
    case .server(_, let clientAuthority):
      isServer = true
      sessions = nil
      requiresClientCertificate = clientAuthority != nil
    case .client(_, _, let cache):
      isServer = false
      sessions = cache
      requiresClientCertificate = false
    }
    ERR_clear_error()
    guard let pointer = SSL_CTX_new(isServer ? TLS_server_method() : TLS_client_method()) else {
      throw .failure(OpenSSLErrorQueue.drain().description)
    }
    self.pointer = pointer

    try setProtocol()
    switch configuration.role {
    case .server(let identity, let clientAuthority):
      try present(identity, as: "server")
      try setUpServer(clientAuthority: clientAuthority)
    case .client(let trust, let identity, _):
      try setUpClient(trust: trust, identity: identity)
    }
    SSL_CTX_set_ex_data(pointer, 0, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    SSL_CTX_free(pointer)
  }

  /// The context that a callback's connection belongs to.
  static func of(_ connection: OpaquePointer?) -> TLSContext? {
    guard let connection, let pointer = SSL_get_SSL_CTX(connection), let data = SSL_CTX_get_ex_data(pointer, 0) else {
      return nil
    }
    return Unmanaged.fromOpaque(data).takeUnretainedValue()
  }

  private func setProtocol() throws(TLSError) {
    let modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS
    _ = shim_SSL_CTX_set_mode(pointer, Int(modes))
    // A read returns after each message that is not data, so that a flood of them can be counted as it comes.
    _ = shim_SSL_CTX_clear_mode(pointer, Int(SSL_MODE_AUTO_RETRY))
    SSL_CTX_set_options(
      pointer,
      shim_SSL_OP_NO_RENEGOTIATION | shim_SSL_OP_NO_COMPRESSION | shim_SSL_OP_CIPHER_SERVER_PREFERENCE
        | shim_SSL_OP_PRIORITIZE_CHACHA)
    let ciphers =
      shim_cpu_has_aes() != 0
      ? "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"
      : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
    guard shim_SSL_CTX_set_min_proto_version(pointer, TLS1_3_VERSION) == 1,
      shim_SSL_CTX_set_max_proto_version(pointer, TLS1_3_VERSION) == 1,
      SSL_CTX_set_ciphersuites(pointer, ciphers) == 1,
      shim_SSL_CTX_set1_groups_list(pointer, "X25519:P-256:P-384") == 1
    else {
      throw .failure("this OpenSSL offers no TLS 1.3: \(OpenSSLErrorQueue.drain())")
    }
    SSL_CTX_set_info_callback(pointer, noteHandshakeMessage)
  }

  private func setUpServer(clientAuthority: TLSConfiguration.PEM?) throws(TLSError) {
    SSL_CTX_set_client_hello_cb(pointer, examineClientHello, nil)
    SSL_CTX_set_alpn_select_cb(pointer, selectApplicationProtocol, nil)
    _ = shim_SSL_CTX_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
    // One ticket: a client of ours opens one connection at a time for each that it lost.
    SSL_CTX_set_num_tickets(pointer, ticketKeys == nil ? 0 : 1)
    if ticketKeys != nil {
      SSL_CTX_set_timeout(pointer, Self.ticketLifetime)
      SSL_CTX_set_tlsext_ticket_key_evp_cb(pointer, provideTicketKey)
      SSL_CTX_set_session_ticket_cb(pointer, noteSessionBegin, judgeSession, nil)
    }
    var scope = Array("comanda server".utf8)
    if let clientAuthority {
      let text = try PEMText(clientAuthority, purpose: "client authority")
      try trust(text)
      SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
      scope += text.bytes
    }
    sessionScope = try Self.digest(scope)
    guard SSL_CTX_set_session_id_context(pointer, sessionScope, UInt32(sessionScope.count)) == 1 else {
      throw .failure(OpenSSLErrorQueue.drain().description)
    }
  }

  private static func digest(_ bytes: [UInt8]) throws(TLSError) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: Int(SSL_MAX_SID_CTX_LENGTH))
    guard EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
      throw .failure(OpenSSLErrorQueue.drain().description)
    }
    return digest
  }

  private func setUpClient(trust: TLSConfiguration.Trust, identity: TLSConfiguration.Identity?) throws(TLSError) {
    var scope: [UInt8] = []
    switch trust {
    case .system:
      guard SSL_CTX_set_default_verify_paths(pointer) == 1 else {
        throw .configuration("the system's certificate authorities cannot be read: \(OpenSSLErrorQueue.drain())")
      }
    case .authorities(let source):
      let text = try PEMText(source, purpose: "certificate authority")
      try self.trust(text)
      scope = try Self.digest(text.bytes)
    }
    if let identity {
      scope += try present(identity, as: "client").bytes
    }
    sessionScope = try Self.digest(scope)
    SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)

    var offer: [UInt8] = []
    for name in applicationProtocols {
      guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
        throw .configuration("application protocol \"\(name)\" must have 1 to 255 bytes")
      }
      offer.append(length)
      offer += name.utf8
    }
    // Unlike its siblings, this function returns 0 for success.
    guard SSL_CTX_set_alpn_protos(pointer, offer, UInt32(offer.count)) == 0 else {
      throw .failure(OpenSSLErrorQueue.drain().description)
    }
    if sessions != nil {
      let mode = SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL
      _ = shim_SSL_CTX_set_session_cache_mode(pointer, Int(mode))
      SSL_CTX_sess_set_new_cb(pointer, keepSession)
    }
  }
}
