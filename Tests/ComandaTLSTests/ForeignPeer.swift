import COpenSSL
import COpenSSLShims
import NIOCore
import Testing

@testable import ComandaTLS

/// A peer that OpenSSL plays by itself, over its own memory BIOs, and that may do what our engine never would.
final class ForeignPeer {
  let context: OpaquePointer
  let ssl: OpaquePointer

  /// A client, of any TLS version up to `maximumVersion`, that trusts everyone.
  static func client(maximumVersion: Int32 = TLS1_3_VERSION, applicationProtocols: [String]) throws -> ForeignPeer {
    let peer = try ForeignPeer(method: TLS_client_method()) { context in
      #expect(shim_SSL_CTX_set_max_proto_version(context, maximumVersion) == 1)
      let offer = applicationProtocols.flatMap { [UInt8($0.utf8.count)] + $0.utf8 }
      if !offer.isEmpty {
        #expect(SSL_CTX_set_alpn_protos(context, offer, UInt32(offer.count)) == 0)
      }
    }
    SSL_set_connect_state(peer.ssl)
    return peer
  }

  /// A server that presents any certificate, and chooses no application protocol.
  static func server(_ certificate: CertificateWithKey, maximumVersion: Int32 = TLS1_3_VERSION) throws -> ForeignPeer {
    let peer = try ForeignPeer(method: TLS_server_method()) { context in
      #expect(shim_SSL_CTX_set_max_proto_version(context, maximumVersion) == 1)
      #expect(SSL_CTX_use_certificate(context, certificate.certificate.pointer) == 1)
      #expect(SSL_CTX_use_PrivateKey(context, certificate.key.pointer) == 1)
    }
    SSL_set_accept_state(peer.ssl)
    return peer
  }

  private init(method: OpaquePointer?, configure: (OpaquePointer) -> Void) throws {
    context = try #require(SSL_CTX_new(method))
    configure(context)
    ssl = try #require(SSL_new(context))
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()))
  }

  deinit {
    SSL_free(ssl)
    SSL_CTX_free(context)
  }

  func receive(_ ciphertext: ByteBuffer) {
    let bytes = Array(ciphertext.readableBytesView)
    BIO_write(SSL_get_rbio(ssl), bytes, Int32(bytes.count))
  }

  func takeCiphertext() -> ByteBuffer {
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = BIO_read(SSL_get_wbio(ssl), &bytes, Int32(bytes.count))
    return ByteBuffer(bytes: bytes.prefix(Int(max(0, count))))
  }

  /// Takes a step of the handshake; after an alert of the peer, gives its number.
  func step() -> UInt8? {
    OpenSSLErrorQueue.clear()
    SSL_do_handshake(ssl)
    return OpenSSLErrorQueue.drain().alertFromPeer
  }
}
