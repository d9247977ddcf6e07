import NIOCore

extension RPCMethod {
  /// A method that the schema has and that this server does not offer: each call ends with UNIMPLEMENTED, its requests
  /// unread.
  public static func unimplemented(_ descriptor: MethodDescriptor) -> RPCMethod {
    let error = RPCError(
      .unimplemented,
      "\(descriptor.path) is part of the schema, but this server does not offer \(descriptor.service) yet")
    let handler: Handler =
      switch descriptor.kind {
      case .unary: .unary { _, _ in throw error }
      case .clientStreaming, .serverStreaming, .bidirectionalStreaming: .stream { _, _, _ in throw error }
      }
    return RPCMethod(descriptor: descriptor, handler: handler)
  }
}
