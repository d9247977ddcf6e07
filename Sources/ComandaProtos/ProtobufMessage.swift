import ComandaRPC
import NIOCore
import SwiftProtobuf

/// How the generated messages travel in calls; the generated code states the conformances.
extension RPCMessage where Self: SwiftProtobuf.Message {
  /// Decodes a message, at most 32 messages deep. Fields that this schema does not know are dropped.
  /// - Throws: `RPCError` INVALID_ARGUMENT that names the message and says what is malformed.
  public init(rpcBytes: ByteBuffer) throws {
    try self.init(decoding: rpcBytes)
  }

  fileprivate init(decoding rpcBytes: ByteBuffer) throws {
    var options = BinaryDecodingOptions()
    options.messageDepthLimit = 32
    options.discardUnknownFields = true
    do {
      try self.init(serializedBytes: rpcBytes.readableBytesSpan, options: options)
    } catch {
      throw RPCError(
        .invalidArgument,
        "the bytes are no valid \(Self.protoMessageName): \(explanation(of: error)); encode it by the schema")
    }
  }

  /// Encodes the message.
  public func rpcBytes() throws -> ByteBuffer {
    do {
      let bytes: EncodedMessage = try serializedBytes()
      return bytes.buffer
    } catch {
      throw RPCError(.internal, "a \(Self.protoMessageName) could not be encoded")
    }
  }
}

extension BoundedRequest where Self: SwiftProtobuf.Message {
  /// Decodes a request, once it is known to keep the bounds of the schema.
  /// - Throws: `RefusedRequest` for what breaks a bound; `RPCError` INVALID_ARGUMENT that says what is malformed.
  public init(rpcBytes: ByteBuffer) throws {
    try rpcBytes.withUnsafeReadableBytes { bytes in try Self.bounds.check(bytes) }
    try self.init(decoding: rpcBytes)
  }
}

private func explanation(of error: any Error) -> String {
  switch error as? BinaryDecodingError {
  case .truncated: "they end in the middle of a field"
  case .invalidUTF8: "a text is not valid UTF-8"
  case .messageDepthLimit: "messages nest too deep"
  default: "a field is malformed"
  }
}

/// Lets SwiftProtobuf encode straight into the buffer that is sent.
private struct EncodedMessage: SwiftProtobufContiguousBytes {
  var buffer: ByteBuffer

  init(repeating byte: UInt8, count: Int) {
    buffer = ByteBuffer(repeating: byte, count: count)
  }

  init(_ sequence: some Sequence<UInt8>) {
    buffer = ByteBuffer(bytes: sequence)
  }

  var count: Int { buffer.readableBytes }

  func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try buffer.withUnsafeReadableBytes(body)
  }

  mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try buffer.withUnsafeMutableReadableBytes(body)
  }
}
