import COpenSSL
import NIOCore

/// One TLS 1.3 connection without a socket: ciphertext in and plaintext out, and back.
///
/// After every call ``takeCiphertext()`` has what must be sent to the peer; also after one that threw, when it is the
/// alert that tells the peer why. An engine is used by one thread at a time. After an error it only gives ciphertext.
public final class TLSEngine {
  /// What ``read(into:atMost:)`` found.
  public enum ReadResult: Equatable, Sendable {
    /// This many bytes were appended.
    case bytes(Int)
    /// Nothing, until more ciphertext comes.
    case wouldBlock
    /// The peer sent `close_notify`: nothing will follow.
    case closed
  }

  enum State {
    case handshaking
    case open
    /// This side sent `close_notify`, or gave up before the handshake was complete.
    case closed
    case failed
  }

  /// The name that the peer must prove, on a client.
  public let serverName: String?
  let context: TLSContext
  let ssl: OpaquePointer
  var state = State.handshaking
  var evidence = PeerEvidence()
  private let records: RecordBIO
  var keyUsage = KeyUsage()
  private var postHandshake = PostHandshakeBudget()
  private var deferredError: TLSError?

  /// Starts a connection of `context`.
  ///
  /// - Parameter serverName: A client's expectation, required there: a DNS name, sent as SNI and checked against the
  ///   certificate (RFC 9525), or an IP address, which is only checked. A server gives nil.
  public init(context: TLSContext, serverName: String?) throws(TLSError) {
    OpenSSLErrorQueue.clear()
    guard let ssl = SSL_new(context.pointer) else { throw .failure(OpenSSLErrorQueue.drain().description) }
    self.ssl = ssl
    self.context = context
    self.serverName = serverName
    records = RecordBIO()
    guard let bio = records.makeBIO() else { throw .failure("no memory for a connection") }
    SSL_set_bio(ssl, bio, bio)
    SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    if context.isServer {
      SSL_set_accept_state(ssl)
    } else {
      try expect(serverName)
      SSL_set_connect_state(ssl)
    }
  }

  deinit {
    if state != .failed {
      // Otherwise OpenSSL spoils the session of a connection that was cut, and a client is to resume just that one.
      SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    }
    SSL_free(ssl)
  }

  /// The engine that a callback's connection belongs to.
  static func of(_ connection: OpaquePointer) -> Unmanaged<TLSEngine>? {
    SSL_get_ex_data(connection, 0).map { Unmanaged.fromOpaque($0) }
  }

  /// Takes ciphertext from the peer, without looking at it yet: call ``handshake()`` or ``read(into:atMost:)`` next.
  public func receive(ciphertext: ByteBuffer) {
    if state == .handshaking {
      evidence.note(firstBytes: ciphertext)
    }
    postHandshake.received(byteCount: ciphertext.readableBytes)
    if records.input.readableBytes == 0 {
      records.input = ciphertext
    } else {
      records.input.writeImmutableBuffer(ciphertext)
    }
  }

  /// Goes on with the handshake; a client's first call starts it.
  ///
  /// - Returns: What was agreed, once, when the handshake is complete; nil while it needs more ciphertext.
  public func handshake() throws(TLSError) -> TLSHandshake? {
    guard state == .handshaking else { return nil }
    OpenSSLErrorQueue.clear()
    let status = SSL_do_handshake(ssl)
    records.releaseInputIfRead()
    guard status == 1 else {
      guard SSL_get_error(ssl, status) != SSL_ERROR_WANT_READ else { return nil }
      throw fail()
    }
    let handshake = describeHandshake()
    guard context.applicationProtocols.contains(handshake.applicationProtocol) else {
      state = .failed
      throw .noSharedApplicationProtocol(
        handshake.applicationProtocol.isEmpty
          ? "the server chose none" : "the server chose \(quote(handshake.applicationProtocol.utf8))")
    }
    state = .open
    evidence = PeerEvidence()
    return handshake
  }

  /// Appends decrypted bytes to `buffer`, as many as have come, up to `limit`.
  ///
  /// Call again until there are no more: the rest stays encrypted beyond the limit, or if the buffer, sized once for
  /// the ciphertext that came, would have to grow for the beginning of a record that had come earlier.
  public func read(into buffer: inout ByteBuffer, atMost limit: Int) throws(TLSError) -> ReadResult {
    if let error = deferredError { throw error }
    guard state == .open || state == .closed else { return .wouldBlock }
    var total = 0
    while total < limit {
      // OpenSSL reads no record ahead, so with neither plaintext nor ciphertext left a call would be in vain.
      let available = Int(SSL_pending(ssl)) + records.input.readableBytes
      guard available > 0 else { break }
      OpenSSLErrorQueue.clear()
      var status: Int32 = 0
      let room = total == 0 ? min(available, limit) : 1
      guard total == 0 || buffer.writableBytes >= room else { break }
      total += buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
        var count = 0
        status = SSL_read_ex(ssl, space.baseAddress, min(space.count, limit - total), &count)
        return count
      }
      if postHandshake.isExceeded { return try end(failBound("too many KeyUpdates or session tickets"), after: total) }
      if status == 1 {
        keyUsage.recordRead()
        continue
      }
      switch SSL_get_error(ssl, status) {
      case SSL_ERROR_WANT_READ: break
      case SSL_ERROR_ZERO_RETURN: records.discardInput()
      default: return try end(fail(), after: total)
      }
    }
    records.releaseInputIfRead()
    if total > 0 { return .bytes(total) }
    return SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0 ? .closed : .wouldBlock
  }

  /// What came before an error is still good, so the error waits for the next read.
  private func end(_ error: TLSError, after byteCount: Int) throws(TLSError) -> ReadResult {
    records.discardInput()
    guard byteCount > 0 else { throw error }
    deferredError = error
    return .bytes(byteCount)
  }

  /// Encrypts all of `plaintext`, in records of at most 16 KiB.
  public func write(_ plaintext: ByteBuffer) throws(TLSError) {
    guard state == .open else { throw .closed }
    try plaintext.withUnsafeReadableBytes { bytes in
      Result { () throws(TLSError) in try encrypt(bytes) }
    }.get()
  }

  private func encrypt(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
    records.reserveOutput(forPlaintext: plaintext.count)
    var rest = plaintext
    while !rest.isEmpty {
      if keyUsage.isUpdateDue {
        SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        keyUsage.reset()
      }
      OpenSSLErrorQueue.clear()
      var count = 0
      guard SSL_write_ex(ssl, rest.baseAddress, rest.count, &count) == 1, count > 0 else { throw fail() }
      keyUsage.recordWritten()
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }

  /// Sends `close_notify`: nothing can be written any more, but what the peer still sends can be read.
  public func close() {
    if state == .open {
      OpenSSLErrorQueue.clear()
      SSL_shutdown(ssl)
    }
    if state != .failed {
      state = .closed
    }
  }

  /// The ciphertext for the peer since the last call, if there is any.
  public func takeCiphertext() -> ByteBuffer? {
    records.takeOutput()
  }

  /// Whether the peer's `close_notify` has come: its absence at the end of the input means truncation.
  public var isClosedByPeer: Bool {
    SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN != 0
  }

  /// A KeyUpdate or a session ticket has come.
  func notePostHandshakeMessage() {
    if state != .handshaking {
      postHandshake.receivedMessage()
    }
  }
}
