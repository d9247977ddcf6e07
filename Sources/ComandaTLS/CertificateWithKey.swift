import COpenSSL
import COpenSSLShims

/// A certificate that this process can use or sign with, since it has its private key.
struct CertificateWithKey: Sendable {
  let certificate: X509Reference
  let key: PrivateKey

  /// Loads a pair; nil if either is missing or damaged, or they do not belong together.
  init?(certificateFile: String, keyFile: String) {
    guard let certificate = try? PEMText(.file(certificateFile), purpose: "certificate").certificates().first,
      let key = try? PEMText(.file(keyFile), purpose: "key").privateKey(),
      X509_check_private_key(certificate.pointer, key.pointer) == 1
    else {
      ERR_clear_error()
      return nil
    }
    self.certificate = certificate
    self.key = key
  }

  private init(certificate: X509Reference, key: PrivateKey) {
    self.certificate = certificate
    self.key = key
  }

  /// A self-signed certificate that may sign others, but no further authorities.
  static func authority(named name: String, now: Int, days: Int) throws(TLSError) -> CertificateWithKey {
    try make(
      name: name, now: now, days: days, issuer: nil,
      extensions: [
        (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
        (NID_subject_key_identifier, "hash"),
      ])
  }

  /// A server's certificate for DNS names and IP addresses.
  static func server(
    names: [String], signedBy issuer: CertificateWithKey, now: Int, days: Int
  ) throws(TLSError) -> CertificateWithKey {
    var alternatives: [String] = []
    for name in names {
      // The extension is written as text, in which a comma would begin another entry.
      if let address = a2i_IPADDRESS(name) {
        ASN1_OCTET_STRING_free(address)
        alternatives.append("IP:\(name)")
      } else if isPlausible(hostName: name) {
        alternatives.append("DNS:\(name)")
      } else {
        throw .configuration("\(quote(name.utf8)) is neither a host name nor an IP address")
      }
    }
    ERR_clear_error()
    return try make(
      name: names.first ?? "server", now: now, days: days, issuer: issuer,
      extensions: [
        (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
        (NID_ext_key_usage, "serverAuth"), (NID_subject_alt_name, alternatives.joined(separator: ",")),
        (NID_subject_key_identifier, "hash"), (NID_authority_key_identifier, "keyid"),
      ])
  }

  /// A client's certificate, which names its owner as its subject.
  static func client(
    named name: String, signedBy issuer: CertificateWithKey, now: Int, days: Int
  ) throws(TLSError) -> CertificateWithKey {
    try make(
      name: name, now: now, days: days, issuer: issuer,
      extensions: [
        (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
        (NID_ext_key_usage, "clientAuth"),
      ])
  }

  private static func make(
    name: String, now: Int, days: Int, issuer: CertificateWithKey?, extensions: [(Int32, String)]
  ) throws(TLSError) -> CertificateWithKey {
    ERR_clear_error()
    guard let keyPointer = shim_EVP_EC_gen("P-256"), let pointer = X509_new() else {
      throw .failure(OpenSSLErrorQueue.drain().description)
    }
    let key = PrivateKey(adopting: keyPointer)
    let certificate = X509Reference(adopting: pointer)
    let signer = issuer?.certificate.pointer ?? pointer
    guard X509_set_version(pointer, Int(X509_VERSION_3)) == 1, setRandomSerial(of: pointer),
      setValidity(of: pointer, from: now, days: days, within: signer),
      let subject = X509_get_subject_name(pointer),
      X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, Int32(name.utf8.count), -1, 0) == 1,
      X509_set_issuer_name(pointer, X509_get_subject_name(signer)) == 1,
      X509_set_pubkey(pointer, keyPointer) == 1
    else {
      throw .failure("a certificate could not be made: \(OpenSSLErrorQueue.drain())")
    }
    var scope = X509V3_CTX()
    X509V3_set_ctx(&scope, signer, pointer, nil, nil, 0)
    for (identifier, value) in extensions {
      guard let entry = X509V3_EXT_conf_nid(nil, &scope, identifier, value) else {
        throw .failure("a certificate extension could not be made: \(OpenSSLErrorQueue.drain())")
      }
      defer { X509_EXTENSION_free(entry) }
      guard X509_add_ext(pointer, entry, -1) == 1 else {
        throw .failure("a certificate extension could not be added: \(OpenSSLErrorQueue.drain())")
      }
    }
    guard X509_sign(pointer, issuer?.key.pointer ?? keyPointer, EVP_sha256()) > 0 else {
      throw .failure("a certificate could not be signed: \(OpenSSLErrorQueue.drain())")
    }
    return CertificateWithKey(certificate: certificate, key: key)
  }

  /// Begins an hour ago, for clocks that are behind, and ends with the signer at the latest.
  private static func setValidity(
    of certificate: OpaquePointer, from now: Int, days: Int, within signer: OpaquePointer
  ) -> Bool {
    let start = now - 3600
    guard ASN1_TIME_set(X509_getm_notBefore(certificate), start) != nil,
      ASN1_TIME_set(X509_getm_notAfter(certificate), start + days * 86_400) != nil
    else {
      return false
    }
    let limit = X509_get0_notAfter(signer)
    return ASN1_TIME_compare(X509_get0_notAfter(certificate), limit) <= 0 || X509_set1_notAfter(certificate, limit) == 1
  }

  private static func setRandomSerial(of certificate: OpaquePointer) -> Bool {
    guard let number = BN_new() else { return false }
    defer { BN_free(number) }
    // 127 bits: positive, and no longer than the 20 bytes that RFC 5280 allows.
    return BN_rand(number, 127, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1
      && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
  }
}

extension CertificateWithKey {
  func isValid(inDays days: Int, now: Int) -> Bool {
    var start = now
    var end = now + days * 86_400
    return X509_cmp_time(X509_get0_notBefore(certificate.pointer), &start) < 0
      && X509_cmp_time(X509_get0_notAfter(certificate.pointer), &end) > 0
  }

  func isSigned(by issuer: CertificateWithKey) -> Bool {
    defer { ERR_clear_error() }
    return X509_verify(certificate.pointer, issuer.key.pointer) == 1
  }

  func names(_ names: [String]) -> Bool {
    names.allSatisfy { name in
      X509_check_host(certificate.pointer, name, name.utf8.count, 0, nil) == 1
        || X509_check_ip_asc(certificate.pointer, name, 0) == 1
    }
  }

  func certificatePEM() throws(TLSError) -> String {
    try pem { PEM_write_bio_X509($0, certificate.pointer) }
  }

  func keyPEM() throws(TLSError) -> String {
    try pem { PEM_write_bio_PrivateKey($0, key.pointer, nil, nil, 0, nil, nil) }
  }

  /// Writes the key first: a certificate without its key would be taken for a finished pair by nobody.
  func save(certificateFile: String, keyFile: String) throws(TLSError) {
    try save(keyPEM(), to: keyFile, mode: 0o600)
    try save(certificatePEM(), to: certificateFile, mode: 0o644)
  }

  private func save(_ text: String, to file: String, mode: UInt32) throws(TLSError) {
    do throws(FileProblem) {
      try replaceFile(file, with: text, mode: mode)
    } catch {
      throw .configuration("\(file) cannot be written: \(error)")
    }
  }

  private func pem(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> String {
    guard let bio = BIO_new(BIO_s_mem()) else { throw .failure("no memory for PEM text") }
    defer { BIO_free(bio) }
    guard write(bio) == 1 else { throw .failure(OpenSSLErrorQueue.drain().description) }
    return text(of: bio)
  }
}
