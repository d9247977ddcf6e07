import NIOCore

/// A message as a call carries it: bytes one way and back.
///
/// Protobuf messages conform in the generated code; `ByteBuffer` conforms as itself, for handlers that decode their
/// requests on their own.
public protocol RPCMessage: Sendable {
  /// Decodes a message.
  /// - Throws: `RPCError` INVALID_ARGUMENT that says what is malformed.
  init(rpcBytes: ByteBuffer) throws

  /// Encodes the message.
  func rpcBytes() throws -> ByteBuffer
}

extension ByteBuffer: RPCMessage {
  /// The bytes themselves.
  public init(rpcBytes: ByteBuffer) {
    self = rpcBytes
  }

  /// The bytes themselves.
  public func rpcBytes() -> ByteBuffer {
    self
  }
}
