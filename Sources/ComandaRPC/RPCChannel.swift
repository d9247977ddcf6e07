import NIOCore

/// A call as the caller's transport runs it.
public protocol ClientCall: InboundMessages, OutboundMessages {
  /// Says that no further request follows.
  func halfClose() async throws
  /// Gives the call up: the server cancels its handler.
  func cancel()
  /// The metadata that the server sent ahead of its first response; empty when it sent none.
  var initialMetadata: Metadata { get async throws }
  /// The metadata that came with the status; empty until the call ended.
  var trailers: Metadata { get async }
}

/// Something that calls can be made on: a connection, or a pool of them.
public protocol RPCChannel: Sendable {
  /// Makes a unary call.
  func unary(_ method: MethodDescriptor, _ request: ByteBuffer, options: CallOptions) async throws -> ByteBuffer
  /// Starts a call in which at least one side streams. It is cancelled when the returned call is released unended.
  /// - Parameter request: the only request of a caller that does not stream; nil for one that does.
  func start(_ method: MethodDescriptor, request: ByteBuffer?, options: CallOptions) async throws -> any ClientCall
}
