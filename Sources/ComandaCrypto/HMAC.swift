import COpenSSL

/// HMAC (RFC 2104) with SHA-256, by libcrypto.
public enum HMAC {
  /// The authentication code of a message.
  public static func sha256(key: some Collection<UInt8>, message: some Collection<UInt8>) -> SHA256.Digest {
    withContiguousBytes(key) { key in
      withContiguousBytes(message) { message in
        SHA256.Digest { tag in
          // libcrypto takes a null key for "the key of the call before".
          let keyStart = key.baseAddress ?? UnsafeRawPointer(tag)
          let messageStart = message.baseAddress?.assumingMemoryBound(to: UInt8.self)
          let result = COpenSSL.HMAC(
            EVP_sha256(), keyStart, Int32(key.count), messageStart, message.count, tag, nil)
          require(result == nil ? 0 : 1, "HMAC")
        }
      }
    }
  }

  /// Whether the code belongs to the message, in time that does not depend on where it differs.
  public static func isValid(
    _ code: some Collection<UInt8>, key: some Collection<UInt8>, message: some Collection<UInt8>
  ) -> Bool {
    sha256(key: key, message: message).withUnsafeBytes { ConstantTime.isEqual($0, code) }
  }
}
