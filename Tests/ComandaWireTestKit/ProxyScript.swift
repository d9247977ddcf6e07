import ComandaTransport
import NIOCore

/// The PROXY header is read ahead of TLS, from whoever connects: it must not trap, must not depend on the pieces in
/// which it arrives, and must take off the buffer exactly what its length says.
enum ProxyScript {
  private enum Outcome: Equatable {
    case incomplete, malformed
    case header(ProxyHeader, taken: Int)
  }

  static func run(_ input: ByteBuffer) throws {
    var whole = input
    let outcome = decode(&whole)
    if case .header(_, let taken) = outcome {
      let length = input.getInteger(at: input.readerIndex + 14, as: UInt16.self).map(Int.init)
      try Finding.require(taken == length.map { 16 + $0 }, "\(taken) bytes were taken of a header of \(length ?? 0)")
    }
    var arrived = ByteBuffer()
    var rest = input
    var early = Outcome.incomplete
    while early == .incomplete, let byte = rest.readSlice(length: 1) {
      arrived.writeImmutableBuffer(byte)
      early = decode(&arrived)
    }
    try Finding.require(outcome == early, "at once \(outcome), byte by byte \(early)")
  }

  private static func decode(_ buffer: inout ByteBuffer) -> Outcome {
    let before = buffer.readableBytes
    do {
      guard let header = try ProxyHeader.decode(&buffer) else { return .incomplete }
      return .header(header, taken: before - buffer.readableBytes)
    } catch {
      return .malformed
    }
  }
}
