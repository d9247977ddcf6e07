import COpenSSL
import Synchronization

/// The session tickets that a client may resume with, by server name and by what the client trusts and presents.
///
/// A ticket is handed out once (RFC 8446, C.4: reuse would let an observer link connections); the server sends a new
/// one on each connection.
public final class TLSSessionCache: Sendable {
  /// Between which connections a session may be carried over: it is not verified again.
  struct Key: Hashable {
    let serverName: String
    /// A digest of the client's authorities and of its own certificate.
    let scope: [UInt8]
  }

  private let sessions = Mutex<[Key: TLSSession]>([:])
  private let capacity: Int

  /// - Parameter capacity: For how many server names a session is kept.
  public init(capacity: Int = 64) {
    self.capacity = max(1, capacity)
  }

  func take(for key: Key) -> TLSSession? {
    sessions.withLock { $0.removeValue(forKey: key) }
  }

  func keep(_ session: TLSSession, for key: Key) {
    sessions.withLock { sessions in
      if sessions.count >= capacity, sessions[key] == nil, let victim = sessions.keys.first {
        sessions.removeValue(forKey: victim)
      }
      sessions[key] = session
    }
  }
}

/// Owns one reference to an `SSL_SESSION`.
///
/// `@unchecked Sendable`: OpenSSL counts references atomically, and changes no session that has been established.
final class TLSSession: @unchecked Sendable {
  let pointer: OpaquePointer

  /// Takes over the caller's reference.
  init(adopting pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    SSL_SESSION_free(pointer)
  }
}
