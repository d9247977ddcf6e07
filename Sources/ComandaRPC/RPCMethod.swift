import NIOCore

/// A method with the code that serves it. Bytes in, bytes out: transports know nothing of message types.
public struct RPCMethod: Sendable {
  /// Serves a unary call.
  public typealias UnaryHandler = @Sendable (ByteBuffer, ServerContext) async throws -> ByteBuffer
  /// Serves a call in which at least one side streams.
  public typealias StreamHandler =
    @Sendable (any InboundMessages, any OutboundMessages, ServerContext) async throws -> Void

  /// The two shapes of handlers, of which unary has one of its own because it is the fast path; or why there is none.
  public enum Handler: Sendable {
    case unary(UnaryHandler)
    case stream(StreamHandler)
    /// Calls end with this error as soon as they are opened.
    case refused(RPCError)
  }

  /// What the schema says of the method.
  public let descriptor: MethodDescriptor
  /// The code that serves it.
  public let handler: Handler

  /// A unary method.
  public static func unary<Request: RPCMessage, Response: RPCMessage>(
    _ descriptor: MethodDescriptor,
    _ handle: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) -> RPCMethod {
    RPCMethod(
      descriptor: descriptor,
      handler: .unary { bytes, context in
        try await handle(Request(rpcBytes: bytes), context).rpcBytes()
      })
  }

  /// A method whose caller streams requests and gets one response.
  public static func clientStreaming<Request: RPCMessage, Response: RPCMessage>(
    _ descriptor: MethodDescriptor,
    _ handle: @escaping @Sendable (RequestStream<Request>, ServerContext) async throws -> Response
  ) -> RPCMethod {
    RPCMethod(
      descriptor: descriptor,
      handler: .stream { inbound, outbound, context in
        let response = try await handle(RequestStream(inbound), context)
        try await outbound.send(response.rpcBytes())
      })
  }

  /// A method whose caller sends one request and gets a stream of responses.
  public static func serverStreaming<Request: RPCMessage, Response: RPCMessage>(
    _ descriptor: MethodDescriptor,
    _ handle: @escaping @Sendable (Request, ResponseWriter<Response>, ServerContext) async throws -> Void
  ) -> RPCMethod {
    RPCMethod(
      descriptor: descriptor,
      handler: .stream { inbound, outbound, context in
        guard let request = try await inbound.next() else {
          throw RPCError(.invalidArgument, "\(descriptor.path) takes one request message; none was sent")
        }
        guard request.readableBytes > CallRoute.largestOnLoop else {
          return try await handle(Request(rpcBytes: request), ResponseWriter(outbound), context)
        }
        try await withTaskExecutorPreference(LargeCallExecutor.shared) {
          try await handle(Request(rpcBytes: request), ResponseWriter(outbound), context)
        }
      })
  }

  /// A method in which both sides stream.
  public static func bidirectionalStreaming<Request: RPCMessage, Response: RPCMessage>(
    _ descriptor: MethodDescriptor,
    _ handle:
      @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, ServerContext) async throws -> Void
  ) -> RPCMethod {
    RPCMethod(
      descriptor: descriptor,
      handler: .stream { inbound, outbound, context in
        try await handle(RequestStream(inbound), ResponseWriter(outbound), context)
      })
  }
}

/// A set of methods that one type serves; the generated server protocols refine it.
public protocol RPCService: Sendable {
  /// The methods, ready to be registered with a `Router`.
  var methods: [RPCMethod] { get }
}
