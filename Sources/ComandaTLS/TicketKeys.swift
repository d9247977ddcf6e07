import COpenSSL
import Synchronization

/// The keys that encrypt session tickets, shared by every context of a server.
///
/// A ticket holds the whole session, so whoever has the key can resume it: a context that was given the same keys
/// accepts another's tickets, which is what lets a client reconnect to any loop, any replica, and after a reload.
/// The newest key encrypts; older ones still decrypt until they are rotated out.
public final class TicketKeys: Sendable {
  /// One generation of keys: 80 secret bytes.
  public struct Key: Sendable {
    /// How many bytes a key has.
    public static let byteCount = nameCount + cipherCount + macCount
    static let nameCount = 16
    static let cipherCount = 32
    static let macCount = 32

    let bytes: [UInt8]

    /// Takes a key made elsewhere, for replicas that share tickets; nil unless it has ``byteCount`` bytes.
    ///
    /// In order: 16 bytes that name it, 32 for AES-256, 32 for HMAC-SHA-256.
    public init?(bytes: [UInt8]) {
      guard bytes.count == Key.byteCount else { return nil }
      self.bytes = bytes
    }

    /// Makes a key from OpenSSL's random generator.
    public static func random() throws(TLSError) -> Key {
      var bytes = [UInt8](repeating: 0, count: byteCount)
      guard RAND_priv_bytes(&bytes, Int32(byteCount)) == 1, let key = Key(bytes: bytes) else {
        throw .failure("no random bytes for a session ticket key")
      }
      return key
    }

    var name: ArraySlice<UInt8> { bytes[..<Key.nameCount] }
  }

  private let keys: Mutex<[Key]>
  private let retained: Int
  /// Where they were read from, if they were.
  let file: String?

  /// Starts with one random key.
  ///
  /// - Parameter retained: How many keys are kept. A ticket is accepted through `retained - 1` rotations.
  public convenience init(retained: Int = 3) throws(TLSError) {
    self.init([try .random()], retained: retained)
  }

  /// Starts with these keys, newest first. Without any, tickets are neither issued nor accepted.
  public convenience init(_ keys: [Key], retained: Int = 3) {
    self.init(keys, retained: retained, file: nil)
  }

  init(_ keys: [Key], retained: Int, file: String?) {
    self.file = file
    self.retained = max(1, retained)
    self.keys = Mutex(Array(keys.prefix(max(1, retained))))
  }

  /// Encrypts with `key` from now on, and forgets the oldest key beyond those retained.
  public func rotate(to key: Key) {
    keys.withLock { keys in
      keys.insert(key, at: 0)
      keys.removeLast(max(0, keys.count - retained))
    }
  }

  /// Encrypts with the first of these keys from now on, and accepts the others.
  func replace(with newer: [Key]) {
    keys.withLock { $0 = Array(newer.prefix(retained)) }
  }

  var newest: Key? {
    keys.withLock(\.first)
  }

  func key(named name: UnsafeBufferPointer<UInt8>) -> Key? {
    keys.withLock { keys in keys.first { $0.name.elementsEqual(name) } }
  }
}

/// What OpenSSL is told by the callback of `SSL_CTX_set_tlsext_ticket_key_evp_cb`.
enum TicketKeyAnswer: Int32 {
  /// The handshake fails.
  case failed = -1
  /// No ticket is written; one that was read is ignored, which means a full handshake.
  case noTicket = 0
  /// The ticket is written.
  case write = 1
  /// The ticket is taken, and the client gets a new one, since it uses each only once.
  case takeAndRenew = 2
}

extension TicketKeys {
  /// Readies OpenSSL's contexts to write a new ticket, after giving it a name and an initialisation vector.
  func prepareEncryption(
    name: UnsafeMutablePointer<UInt8>, vector: UnsafeMutablePointer<UInt8>, cipher: OpaquePointer, mac: OpaquePointer
  ) -> TicketKeyAnswer {
    guard let key = newest else { return .noTicket }
    guard RAND_bytes(vector, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 else { return .failed }
    _ = UnsafeMutableBufferPointer(start: name, count: Key.nameCount).update(fromContentsOf: key.name)
    let isReady = key.withSecrets { cipherKey, macKey in
      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, cipherKey, vector) == 1 && setKey(macKey, of: mac)
    }
    return isReady ? .write : .failed
  }

  /// Readies OpenSSL's contexts to read a ticket that names its key.
  func prepareDecryption(
    name: UnsafePointer<UInt8>, vector: UnsafePointer<UInt8>, cipher: OpaquePointer, mac: OpaquePointer
  ) -> TicketKeyAnswer {
    guard let key = key(named: UnsafeBufferPointer(start: name, count: Key.nameCount)) else { return .noTicket }
    let isReady = key.withSecrets { cipherKey, macKey in
      EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, cipherKey, vector) == 1 && setKey(macKey, of: mac)
    }
    return isReady ? .takeAndRenew : .failed
  }

  private func setKey(_ key: UnsafeBufferPointer<UInt8>, of mac: OpaquePointer) -> Bool {
    // The parameters keep pointers to their names and values, so all of these must live until they are used.
    var digest = Array("SHA256".utf8CString)
    return OSSL_MAC_PARAM_KEY.withCString { keyName in
      OSSL_MAC_PARAM_DIGEST.withCString { digestName in
        digest.withUnsafeMutableBufferPointer { digest in
          let parameters = [
            OSSL_PARAM_construct_octet_string(keyName, UnsafeMutableRawPointer(mutating: key.baseAddress), key.count),
            OSSL_PARAM_construct_utf8_string(digestName, digest.baseAddress, 0),
            OSSL_PARAM_construct_end(),
          ]
          return EVP_MAC_CTX_set_params(mac, parameters) == 1
        }
      }
    }
  }
}

extension TicketKeys.Key {
  fileprivate func withSecrets<R>(
    _ body: (_ cipherKey: UnsafePointer<UInt8>?, _ macKey: UnsafeBufferPointer<UInt8>) -> R
  ) -> R {
    bytes.withUnsafeBufferPointer { bytes in
      let cipherKey = bytes[Self.nameCount..<(Self.nameCount + Self.cipherCount)]
      let macKey = bytes[(Self.nameCount + Self.cipherCount)...]
      return body(UnsafeBufferPointer(rebasing: cipherKey).baseAddress, UnsafeBufferPointer(rebasing: macKey))
    }
  }
}
