import COpenSSL

/// SHA-256 (FIPS 180-4) by libcrypto.
///
/// A value hashes one message after another: ``finish()`` leaves it ready for the next, which spares setting it up
/// anew. For a message in one piece there is ``hash(_:)``, which reuses one such value for each thread.
public struct SHA256: ~Copyable {
  /// A SHA-256 value, 32 bytes.
  public struct Digest: Hashable, Sendable {
    /// How many bytes a digest has.
    public static let byteCount = 32

    private var storage: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init(filling fill: (UnsafeMutablePointer<UInt8>?) -> Void) {
      withUnsafeMutableBytes(of: &storage) { fill($0.assumingMemoryBound(to: UInt8.self).baseAddress) }
    }

    /// Takes a digest from where it was stored; nil unless it has 32 bytes.
    public init?(_ bytes: some Collection<UInt8>) {
      guard bytes.count == Digest.byteCount else { return nil }
      withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
    }

    /// The 32 bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// 64 lowercase hexadecimal digits.
    public var hex: String { withUnsafeBytes { Hex.encode($0) } }

    /// Lends the 32 bytes.
    public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
      try Swift.withUnsafeBytes(of: storage, body)
    }

    /// In time that tells nothing of where the two differ.
    public static func == (left: Digest, right: Digest) -> Bool {
      let (a, b) = (left.storage, right.storage)
      return (a.0 ^ b.0) | (a.1 ^ b.1) | (a.2 ^ b.2) | (a.3 ^ b.3) == 0
    }

    /// Hashes the digest's own bits.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(storage.0)
      hasher.combine(storage.1)
      hasher.combine(storage.2)
      hasher.combine(storage.3)
    }
  }

  private let context: OpaquePointer

  /// Starts with an empty message.
  public init() {
    guard let context = EVP_MD_CTX_new() else { fatalError("libcrypto: EVP_MD_CTX_new failed") }
    self.context = context
    start()
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  /// Appends to the message.
  public mutating func update(_ bytes: some Collection<UInt8>) {
    withContiguousBytes(bytes) { bytes in
      require(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count), "EVP_DigestUpdate")
    }
  }

  /// The digest of the message. What is appended afterwards begins another.
  public mutating func finish() -> Digest {
    let digest = Digest { require(EVP_DigestFinal_ex(context, $0, nil), "EVP_DigestFinal_ex") }
    start()
    return digest
  }

  /// The digest of a message in one piece.
  public static func hash(_ message: some Collection<UInt8>) -> Digest {
    let context = ThreadContext.current
    return withContiguousBytes(message) { message in
      require(EVP_DigestInit_ex2(context, algorithm, nil), "EVP_DigestInit_ex2")
      require(EVP_DigestUpdate(context, message.baseAddress, message.count), "EVP_DigestUpdate")
      return Digest { require(EVP_DigestFinal_ex(context, $0, nil), "EVP_DigestFinal_ex") }
    }
  }

  private func start() {
    require(EVP_DigestInit_ex2(context, SHA256.algorithm, nil), "EVP_DigestInit_ex2")
  }

  /// Fetched once: a look-up by name costs more than hashing a short message. Never changed, so safe to share.
  private nonisolated(unsafe) static let algorithm: OpaquePointer = {
    guard let algorithm = EVP_MD_fetch(nil, "SHA256", nil) else { fatalError("libcrypto offers no SHA-256") }
    return algorithm
  }()
}
