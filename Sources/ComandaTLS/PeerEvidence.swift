import NIOCore

/// What is known of a peer before the handshake is complete, kept only to explain a failure.
struct PeerEvidence {
  private static let sniffedByteCount = 16
  private static let namedProtocolLimit = 8

  private var firstBytes: [UInt8] = []
  private var offeredVersions: [UInt16]?
  private(set) var applicationProtocols: ApplicationProtocols?

  /// What a ClientHello said of application protocols that made it unacceptable.
  enum ApplicationProtocols {
    case none
    case others([String])
  }

  mutating func note(firstBytes bytes: ByteBuffer) {
    guard firstBytes.count < PeerEvidence.sniffedByteCount else { return }
    firstBytes += bytes.readableBytesView.prefix(PeerEvidence.sniffedByteCount - firstBytes.count)
  }

  /// - Parameter versions: The body of the extension `supported_versions`: a length byte, then two bytes a version.
  mutating func note(supportedVersions versions: UnsafeBufferPointer<UInt8>?) {
    offeredVersions = versions.map { versions in
      stride(from: 1, to: versions.count - 1, by: 2).map { UInt16(versions[$0]) << 8 | UInt16(versions[$0 + 1]) }
    }
  }

  mutating func note(applicationProtocols names: [Slice<UnsafeBufferPointer<UInt8>>]) {
    applicationProtocols =
      names.isEmpty ? ApplicationProtocols.none : .others(names.prefix(Self.namedProtocolLimit).map(quote))
  }

  /// Whether the first byte is that of a handshake or alert record, and the second the major version of all TLS.
  var beginsWithTLS: Bool {
    firstBytes.starts(with: [0x16, 3]) || firstBytes.starts(with: [0x15, 3])
  }

  /// What the client offers instead of TLS 1.3.
  var versionOffer: String {
    let names = (offeredVersions ?? []).compactMap { version in
      switch version {
      case 0x0303: "TLS 1.2"
      case 0x0302: "TLS 1.1"
      case 0x0301: "TLS 1.0"
      default: nil as String?
      }
    }
    return names.isEmpty
      ? "the peer offers only TLS 1.2 or older" : "the peer offers only \(names.joined(separator: ", "))"
  }

  var applicationProtocolOffer: String {
    switch applicationProtocols {
    case .others(let names): "the peer offered \(names.joined(separator: ", "))"
    case .some(.none), nil: "the peer offered none"
    }
  }

  /// A guess at what was spoken instead of TLS.
  var guess: String {
    let openings: [(String, String)] = [
      ("GET ", "it speaks HTTP"), ("POST ", "it speaks HTTP"), ("PUT ", "it speaks HTTP"),
      ("HEAD ", "it speaks HTTP"), ("DELETE ", "it speaks HTTP"), ("OPTIONS ", "it speaks HTTP"),
      ("PATCH ", "it speaks HTTP"), ("CONNECT ", "it speaks HTTP"), ("HTTP/", "it speaks HTTP"),
      ("PRI * HTTP/2", "it speaks HTTP/2 without TLS"), ("SSH-", "it speaks SSH"),
      ("PROXY ", "it sends a PROXY protocol header, which this listener does not expect"),
      ("\r\n\r\n\0\r\nQUIT\n", "it sends a PROXY protocol header, which this listener does not expect"),
    ]
    if let known = openings.first(where: { firstBytes.starts(with: $0.0.utf8) }) {
      return known.1
    }
    return firstBytes.isEmpty ? "it sent nothing" : "it began with \(quote(firstBytes))"
  }
}

/// Bytes of a peer made safe for a log: printable ASCII as it is, the rest in hexadecimal, at most 64 of them.
func quote(_ bytes: some Collection<UInt8>) -> String {
  let limit = 64
  var text = "\""
  for byte in bytes.prefix(limit) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += "\\" + String(UnicodeScalar(byte))
    case 0x20...0x7E: text += String(UnicodeScalar(byte))
    default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
  return text + (bytes.count > limit ? "…\"" : "\"")
}
