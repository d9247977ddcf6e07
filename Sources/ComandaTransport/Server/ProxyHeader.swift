import NIOCore

/// The header of the PROXY protocol, version 2: which client a load balancer speaks for.
///
/// Source: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, section 2.2
package struct ProxyHeader: Equatable {
  /// The client's address; nil when the balancer speaks for itself (a health check).
  package let address: SocketAddress?

  /// The client's address as text, `192.0.2.7:51234`.
  package var client: String? { address?.hostAndPort }

  /// What a header begins with.
  static let signature: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
  /// Bytes ahead of the addresses.
  private static let fixedLength = 16
  /// More than the addresses of any family; the rest are extensions, which are skipped.
  private static let longest = 2_048

  /// Bytes that are no such header.
  package struct Malformed: Error, Equatable, CustomStringConvertible {
    package let description: String
  }

  /// Takes the header off the buffer; nil while it is not there in full.
  package static func decode(_ buffer: inout ByteBuffer) throws(Malformed) -> ProxyHeader? {
    let beginning = buffer.readableBytesView.prefix(signature.count)
    guard beginning.elementsEqual(signature.prefix(beginning.count)) else {
      throw Malformed(description: "the connection does not begin with a PROXY header, version 2")
    }
    let start = buffer.readerIndex
    guard let versionAndCommand = buffer.getInteger(at: start + 12, as: UInt8.self),
      let family = buffer.getInteger(at: start + 13, as: UInt8.self),
      let length = buffer.getInteger(at: start + 14, as: UInt16.self)
    else { return nil }
    guard versionAndCommand >> 4 == 2, versionAndCommand & 0xf <= 1 else {
      throw Malformed(description: "the PROXY header has an unknown version or command")
    }
    guard length <= longest else {
      throw Malformed(description: "the PROXY header says \(length) bytes; at most \(longest) are read")
    }
    guard var addresses = buffer.getSlice(at: start + fixedLength, length: Int(length)) else { return nil }
    buffer.moveReaderIndex(forwardBy: fixedLength + Int(length))
    let isLocal = versionAndCommand & 0xf == 0
    return ProxyHeader(address: isLocal ? nil : try address(family, &addresses))
  }

  private static func address(_ family: UInt8, _ addresses: inout ByteBuffer) throws(Malformed) -> SocketAddress? {
    let size: Int
    switch family {
    case 0x11: size = 4
    case 0x21: size = 16
    default: return nil
    }
    guard let source = addresses.readSlice(length: size), addresses.readSlice(length: size) != nil,
      let port = addresses.readInteger(as: UInt16.self),
      let address = try? SocketAddress(packedIPAddress: source, port: Int(port))
    else { throw Malformed(description: "the PROXY header ends within its addresses") }
    return address
  }
}

/// Reads the PROXY header ahead of TLS, reports it, and leaves the pipeline.
final class ProxyProtocolHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let report: (ProxyHeader) throws -> Void
  private var received = ByteBuffer()
  private var isDone = false

  /// - Parameter report: called on the loop, before any byte of TLS is passed on; the connection is closed if it throws.
  init(_ report: @escaping (ProxyHeader) throws -> Void) {
    self.report = report
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isDone { return context.fireChannelRead(data) }
    received.writeImmutableBuffer(unwrapInboundIn(data))
    do {
      guard let header = try ProxyHeader.decode(&received) else { return }
      isDone = true
      try report(header)
      if received.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(received)) }
      context.pipeline.syncOperations.removeHandler(self, promise: nil)
    } catch is ConnectionPlaces.Refusal {
      // Told to the log already, with others of its kind.
      context.close(promise: nil)
    } catch {
      isDone = true
      context.fireErrorCaught(error)
      context.close(promise: nil)
    }
  }
}
