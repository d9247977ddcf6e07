import COpenSSL

/// Random bytes fit for keys and tokens.
public enum RandomBytes {
  /// The operating system gave libcrypto no randomness.
  public struct Unavailable: Error, CustomStringConvertible {
    /// The failure in words.
    public var description: String { "no random bytes: the operating system's source of randomness failed" }
  }

  /// So many bytes from libcrypto's generator for secrets.
  public static func generate(_ count: Int) throws(Unavailable) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard count == 0 || RAND_priv_bytes_ex(nil, &bytes, count, 0) == 1 else { throw Unavailable() }
    return bytes
  }
}
