/// How far the current keys have been used.
///
/// AES-GCM loses its guarantees after some 24 million records under one key (RFC 8446, 5.5), which a busy connection
/// reaches within minutes; OpenSSL leaves the update to its user.
struct KeyUsage {
  private let recordLimit: Int
  private var read = 0
  private var written = 0

  init(recordLimit: Int = 1 << 22) {
    self.recordLimit = recordLimit
  }

  mutating func recordRead() { read += 1 }
  mutating func recordWritten() { written += 1 }

  /// An update renews both directions, since the peer is asked for one too.
  var isUpdateDue: Bool { max(read, written) >= recordLimit }

  mutating func reset() {
    self = KeyUsage(recordLimit: recordLimit)
  }
}

/// How many messages a peer may send after the handshake: KeyUpdates, each of which costs a key derivation here, and
/// session tickets, each of which costs a session.
///
/// An honest peer sends a ticket or two, and a KeyUpdate in millions of records.
struct PostHandshakeBudget {
  static let messagesAtOnce = 32
  static let bytesPerMessage = 1 << 20

  private var messages = 0
  private var bytes = 0

  mutating func received(byteCount: Int) { bytes &+= byteCount }
  mutating func receivedMessage() { messages += 1 }

  var isExceeded: Bool { messages > Self.messagesAtOnce + bytes / Self.bytesPerMessage }
}
