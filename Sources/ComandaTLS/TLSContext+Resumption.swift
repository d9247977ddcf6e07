import COpenSSL

// A resumed session brings the peer's certificate along without verifying it again (RFC 8446, 4.6.1). What was true of
// it at the full handshake and may have ceased to be is looked at here; where it has, a full handshake follows, and
// judges the peer as any other.

extension TLSContext {
  /// How long a client may keep a ticket for, in seconds. Reconnecting after a restart or a lost network takes less.
  static let ticketLifetime = 2 * 3_600
  /// How long after its full handshake a session may be resumed, in seconds, by however many tickets: each resumption
  /// brings a new one, so that without an end the key of a certificate would be proved only once.
  static let sessionLifetime = 24 * 3_600

  // MARK: Server

  /// Notes in a session that is about to be written into a ticket when it began; the first time only, since a resumed
  /// session keeps the note.
  func noteBegin(of session: OpaquePointer) -> Bool {
    if begin(of: session) != nil { return true }
    return withUnsafeBytes(of: Int64(now()).bigEndian) {
      SSL_SESSION_set1_ticket_appdata(session, $0.baseAddress, $0.count) == 1
    }
  }

  /// Whether a session whose ticket is genuine is still good.
  func mayResume(_ session: OpaquePointer) -> Bool {
    guard let begin = begin(of: session), begin >= now() - Self.sessionLifetime else { return false }
    return requiresClientCertificate ? isPeerCurrent(in: session) : true
  }

  private func begin(of session: OpaquePointer) -> Int? {
    var data: UnsafeMutableRawPointer?
    var count = 0
    guard SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1, let data, count == MemoryLayout<Int64>.size
    else { return nil }
    return Int(Int64(bigEndian: data.loadUnaligned(as: Int64.self)))
  }

  // MARK: Client

  /// A session to resume with the server of this name, if there is one and its certificate is still good.
  func takeSession(for serverName: String) -> TLSSession? {
    guard let session = sessions?.take(for: TLSSessionCache.Key(serverName: serverName, scope: sessionScope)),
      isPeerCurrent(in: session.pointer)
    else { return nil }
    return session
  }

  func keep(_ session: TLSSession, for serverName: String) {
    sessions?.keep(session, for: TLSSessionCache.Key(serverName: serverName, scope: sessionScope))
  }

  /// Whether the session has the peer's certificate, and now lies within its validity.
  private func isPeerCurrent(in session: OpaquePointer) -> Bool {
    guard let certificate = SSL_SESSION_get0_peer(session) else { return false }
    var time = now()
    return X509_cmp_time(X509_get0_notBefore(certificate), &time) < 0
      && X509_cmp_time(X509_get0_notAfter(certificate), &time) > 0
  }
}
