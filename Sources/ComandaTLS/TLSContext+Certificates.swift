import COpenSSL
import COpenSSLShims

extension TLSContext {
  /// Loads the certificate that this side presents, with its key; returns the certificate's text.
  @discardableResult
  func present(_ identity: TLSConfiguration.Identity, as side: String) throws(TLSError) -> PEMText {
    let chainText = try PEMText(identity.certificateChain, purpose: "\(side) certificate")
    let keyText = try PEMText(identity.privateKey, purpose: "\(side) private key")
    let chain = try chainText.certificates()
    let key = try keyText.privateKey()
    for (position, certificate) in chain.enumerated() {
      try certificate.requireValidNow(origin: chainText.origin)
      let isLoaded =
        position == 0
        ? SSL_CTX_use_certificate(pointer, certificate.pointer)
        : shim_SSL_CTX_add1_chain_cert(pointer, certificate.pointer)
      guard isLoaded == 1 else {
        throw .configuration("\(chainText.origin) cannot be used: \(OpenSSLErrorQueue.drain())")
      }
    }
    guard let own = chain.first, X509_check_private_key(own.pointer, key.pointer) == 1 else {
      ERR_clear_error()
      throw .configuration(
        "the \(keyText.origin) does not belong to the first certificate in the \(chainText.origin)")
    }
    guard SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1 else {
      throw .configuration("the \(keyText.origin) cannot be used: \(OpenSSLErrorQueue.drain())")
    }
    return chainText
  }

  /// Accepts peers whose chain ends in one of these certificates.
  func trust(_ text: PEMText) throws(TLSError) {
    guard let store = SSL_CTX_get_cert_store(pointer) else { throw .failure("the context has no certificate store") }
    for certificate in try text.certificates() {
      guard X509_STORE_add_cert(store, certificate.pointer) == 1 else {
        throw .configuration("\(text.origin) cannot be used: \(OpenSSLErrorQueue.drain())")
      }
      if isServer {
        // Named in the request, so that a client with several certificates can choose.
        SSL_CTX_add_client_CA(pointer, certificate.pointer)
      }
    }
  }
}

extension X509Reference {
  /// A certificate that no peer would accept is reported at start, not by each connection.
  func requireValidNow(origin: String) throws(TLSError) {
    if let end = X509_get0_notAfter(pointer), X509_cmp_time(end, nil) <= 0 {
      throw .configuration("\(origin): the certificate of \(subject) expired on \(describe(time: end))")
    }
    if let start = X509_get0_notBefore(pointer), X509_cmp_time(start, nil) > 0 {
      throw .configuration("\(origin): the certificate of \(subject) is not valid before \(describe(time: start))")
    }
  }

  private func describe(time: UnsafePointer<ASN1_TIME>) -> String {
    guard let bio = BIO_new(BIO_s_mem()) else { return "an unknown date" }
    defer { BIO_free(bio) }
    ASN1_TIME_print_ex(bio, time, UInt(ASN1_DTFLGS_ISO8601))
    return text(of: bio)
  }
}
