import COpenSSL

/// Comparison of secrets.
public enum ConstantTime {
  /// Whether the bytes are the same, in time that depends only on how many there are.
  public static func isEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
    withContiguousBytes(left) { left in
      withContiguousBytes(right) { right in
        left.count == right.count
          && (left.isEmpty || CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0)
      }
    }
  }
}
