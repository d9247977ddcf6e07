import COpenSSL

// What OpenSSL asks in the middle of a handshake. C functions: they find their context and engine through the
// connection's and the context's first extra-data slot.

/// Server, at each ClientHello, before anything is chosen.
///
/// OpenSSL asks about ALPN only if the client sent the extension, so its absence has to be refused here. A client
/// without TLS 1.3 is left to OpenSSL, whose alert (`protocol_version`) tells it more.
func examineClientHello(
  connection: OpaquePointer?, alert: UnsafeMutablePointer<Int32>?, argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let connection, let engine = TLSEngine.of(connection) else { return SSL_CLIENT_HELLO_ERROR }
  let versions = clientHelloExtension(TLSEXT_TYPE_supported_versions, of: connection)
  engine._withUnsafeGuaranteedRef { $0.evidence.note(supportedVersions: versions) }
  guard let versions, offersTLS13(versions) else { return SSL_CLIENT_HELLO_SUCCESS }
  if clientHelloExtension(TLSEXT_TYPE_application_layer_protocol_negotiation, of: connection) == nil {
    engine._withUnsafeGuaranteedRef { $0.evidence.note(applicationProtocols: []) }
    alert?.pointee = SSL_AD_NO_APPLICATION_PROTOCOL
    return SSL_CLIENT_HELLO_ERROR
  }
  return SSL_CLIENT_HELLO_SUCCESS
}

private func clientHelloExtension(_ type: Int32, of connection: OpaquePointer) -> UnsafeBufferPointer<UInt8>? {
  var start: UnsafePointer<UInt8>?
  var count = 0
  guard SSL_client_hello_get0_ext(connection, UInt32(type), &start, &count) == 1 else { return nil }
  return UnsafeBufferPointer(start: start, count: count)
}

/// Whether a `supported_versions` extension (one length byte, then two bytes a version) names 0x0304.
private func offersTLS13(_ versions: UnsafeBufferPointer<UInt8>) -> Bool {
  stride(from: 1, to: versions.count - 1, by: 2).contains { versions[$0] == 3 && versions[$0 + 1] == 4 }
}

/// Server, when the client offers application protocols: takes the first of ours that is among them.
func selectApplicationProtocol(
  connection: OpaquePointer?, selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
  selectedCount: UnsafeMutablePointer<UInt8>?, offer: UnsafePointer<UInt8>?, offerCount: UInt32,
  argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard let context = TLSContext.of(connection), let selected, let selectedCount else {
    return SSL_TLSEXT_ERR_ALERT_FATAL
  }
  let names = protocolNames(UnsafeBufferPointer(start: offer, count: Int(offerCount)))
  for wanted in context.applicationProtocols {
    if let match = names.first(where: { $0.elementsEqual(wanted.utf8) }) {
      selected.pointee = UnsafeBufferPointer(rebasing: match).baseAddress
      selectedCount.pointee = UInt8(truncatingIfNeeded: match.count)
      return SSL_TLSEXT_ERR_OK
    }
  }
  if let connection {
    TLSEngine.of(connection)?._withUnsafeGuaranteedRef { $0.evidence.note(applicationProtocols: names) }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL
}

/// Splits an ALPN list, each name after its length byte.
private func protocolNames(_ offer: UnsafeBufferPointer<UInt8>) -> [Slice<UnsafeBufferPointer<UInt8>>] {
  var names: [Slice<UnsafeBufferPointer<UInt8>>] = []
  var position = 0
  while position < offer.count {
    let start = position + 1
    let end = start + Int(offer[position])
    guard end <= offer.count else { break }
    names.append(offer[start..<end])
    position = end
  }
  return names
}

/// Server, when it writes or reads a session ticket.
func provideTicketKey(
  connection: OpaquePointer?, name: UnsafeMutablePointer<UInt8>?, vector: UnsafeMutablePointer<UInt8>?,
  cipher: OpaquePointer?, mac: OpaquePointer?, isEncrypting: Int32
) -> Int32 {
  guard let keys = TLSContext.of(connection)?.ticketKeys, let name, let vector, let cipher, let mac else {
    return TicketKeyAnswer.failed.rawValue
  }
  let answer =
    isEncrypting == 1
    ? keys.prepareEncryption(name: name, vector: vector, cipher: cipher, mac: mac)
    : keys.prepareDecryption(name: name, vector: vector, cipher: cipher, mac: mac)
  return answer.rawValue
}

/// Server, before a session is written into a ticket.
func noteSessionBegin(connection: OpaquePointer?, argument: UnsafeMutableRawPointer?) -> Int32 {
  guard let context = TLSContext.of(connection), let session = SSL_get_session(connection) else { return 0 }
  return context.noteBegin(of: session) ? 1 : 0
}

/// Server, after a ticket was read: what may not be resumed is ignored, which means a full handshake.
func judgeSession(
  connection: OpaquePointer?, session: OpaquePointer?, keyName: UnsafePointer<UInt8>?, keyNameCount: Int,
  status: Int32, argument: UnsafeMutableRawPointer?
) -> Int32 {
  guard status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW, let session,
    let context = TLSContext.of(connection), context.mayResume(session)
  else { return SSL_TICKET_RETURN_IGNORE_RENEW }
  return SSL_TICKET_RETURN_USE_RENEW
}

/// Client, for each session ticket that the server sent. Returning 1 takes over the reference.
func keepSession(connection: OpaquePointer?, session: OpaquePointer?) -> Int32 {
  guard let connection, let session, let context = TLSContext.of(connection), context.sessions != nil else { return 0 }
  guard let name = TLSEngine.of(connection)?._withUnsafeGuaranteedRef({ $0.serverName }) else { return 0 }
  context.keep(TLSSession(adopting: session), for: name)
  return 1
}

/// Either side, at each step of the handshake protocol; after the handshake these are KeyUpdate and session tickets.
func noteHandshakeMessage(connection: OpaquePointer?, event: Int32, value: Int32) {
  guard let connection, event & SSL_CB_LOOP != 0 else { return }
  switch SSL_get_state(connection) {
  case TLS_ST_SR_KEY_UPDATE, TLS_ST_CR_KEY_UPDATE, TLS_ST_CR_SESSION_TICKET:
    TLSEngine.of(connection)?._withUnsafeGuaranteedRef { $0.notePostHandshakeMessage() }
  default:
    break
  }
}
