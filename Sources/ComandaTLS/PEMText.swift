import COpenSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// PEM text that was loaded, and where it came from, for messages.
struct PEMText {
  /// A chain with its intermediates takes a few KiB; a bundle of all public authorities some 250.
  static let byteCountLimit = 4 << 20

  let bytes: [UInt8]
  let origin: String

  /// - Parameter purpose: What the text is for, such as `server certificate`.
  init(_ source: TLSConfiguration.PEM, purpose: String) throws(TLSError) {
    switch source {
    case .bytes(let bytes):
      self.bytes = bytes
      origin = purpose
    case .file(let path):
      origin = "\(purpose) \(path)"
      do throws(FileProblem) {
        bytes = try readFile(path, byteCountLimit: PEMText.byteCountLimit)
      } catch {
        throw .configuration("\(origin) cannot be read: \(error)")
      }
    }
  }

  /// All certificates in the text, in order; at least one. The caller owns them.
  func certificates() throws(TLSError) -> [X509Reference] {
    guard let bio = memoryBIO() else { throw .failure("no memory to read the \(origin)") }
    defer { BIO_free(bio) }
    ERR_clear_error()
    var certificates: [X509Reference] = []
    while let certificate = PEM_read_bio_X509(bio, nil, refusePassphrase, nil) {
      certificates.append(X509Reference(adopting: certificate))
    }
    let end = ERR_peek_last_error()
    ERR_clear_error()
    guard ERR_GET_LIB(end) == ERR_LIB_PEM, ERR_GET_REASON(end) == PEM_R_NO_START_LINE else {
      throw .configuration("\(origin) holds a damaged certificate (number \(certificates.count + 1) in it)")
    }
    guard !certificates.isEmpty else {
      throw .configuration("\(origin) holds no certificate; expected PEM text with BEGIN CERTIFICATE")
    }
    return certificates
  }

  /// The private key in the text.
  func privateKey() throws(TLSError) -> PrivateKey {
    guard let bio = memoryBIO() else { throw .failure("no memory to read the \(origin)") }
    defer { BIO_free(bio) }
    if let key = PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, nil) {
      return PrivateKey(adopting: key)
    }
    ERR_clear_error()
    guard String(decoding: bytes, as: UTF8.self).contains("PRIVATE KEY-----") else {
      throw .configuration("\(origin) holds no private key; expected PEM text with BEGIN PRIVATE KEY")
    }
    throw .configuration("\(origin) is damaged or encrypted; expected a PEM private key without a passphrase")
  }

  /// A memory BIO with a copy of the text.
  private func memoryBIO() -> OpaquePointer? {
    bytes.withUnsafeBytes { source in
      guard let bio = BIO_new(BIO_s_mem()) else { return nil }
      let count = BIO_write(bio, source.baseAddress, Int32(truncatingIfNeeded: source.count))
      guard count == source.count || source.isEmpty else {
        BIO_free(bio)
        return nil
      }
      return bio
    }
  }
}

/// A server must not wait at a prompt: an encrypted key is an error.
private func refusePassphrase(
  buffer: UnsafeMutablePointer<CChar>?, size: Int32, isWriting: Int32, argument: UnsafeMutableRawPointer?
) -> Int32 {
  -1
}

/// Owns one reference to an `X509`.
///
/// `@unchecked Sendable`: read only once it is made; what OpenSSL caches in it, it guards by a lock of its own.
final class X509Reference: @unchecked Sendable {
  let pointer: OpaquePointer

  init(adopting pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    X509_free(pointer)
  }

  var subject: String {
    X509_get_subject_name(pointer).map(describe(name:)) ?? ""
  }
}

/// Owns one reference to an `EVP_PKEY`.
///
/// `@unchecked Sendable`: read only once it is made; what OpenSSL caches in it, it guards by a lock of its own.
final class PrivateKey: @unchecked Sendable {
  let pointer: OpaquePointer

  init(adopting pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    EVP_PKEY_free(pointer)
  }
}

/// An X.509 name in RFC 2253 form, control characters escaped, so that it is safe in a log.
func describe(name: OpaquePointer) -> String {
  guard let bio = BIO_new(BIO_s_mem()) else { return "" }
  defer { BIO_free(bio) }
  // XN_FLAG_RFC2253, a macro that Swift does not import, but with UTF-8 left readable.
  let flags =
    ASN1_STRFLGS_ESC_2253 | ASN1_STRFLGS_ESC_CTRL | ASN1_STRFLGS_UTF8_CONVERT | ASN1_STRFLGS_DUMP_UNKNOWN
    | ASN1_STRFLGS_DUMP_DER | XN_FLAG_SEP_COMMA_PLUS | XN_FLAG_DN_REV | XN_FLAG_FN_SN | XN_FLAG_DUMP_UNKNOWN_FIELDS
  guard X509_NAME_print_ex(bio, name, 0, UInt(flags)) >= 0 else { return "" }
  return text(of: bio)
}

/// All that was written to a memory BIO, as text.
func text(of bio: OpaquePointer) -> String {
  var text: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1024)
  while case let count = Int(BIO_read(bio, &piece, Int32(piece.count))), count > 0 {
    text += piece.prefix(count)
  }
  return String(decoding: text, as: UTF8.self)
}
