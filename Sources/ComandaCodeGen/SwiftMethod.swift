/// A method in Swift's words: the pieces that the renderer puts together.
struct SwiftMethod {
  let model: MethodModel
  /// The name of its function and of its descriptor.
  let name: String
  /// The type of the request message.
  let request: String
  /// The type of the response message.
  let response: String
  /// Whether the server takes the bytes of requests instead.
  let isRaw: Bool

  /// The comment of the schema, or else the plainest sentence.
  var documentation: [String] {
    model.documentation.isEmpty ? ["`\(model.fullName)`."] : model.documentation
  }

  // MARK: Descriptor

  /// A literal.
  var scope: String {
    model.options.scope.map { "\"\($0)\"" } ?? "nil"
  }

  /// A literal, in seconds where they are whole.
  var defaultDeadline: String {
    guard let milliseconds = model.options.defaultDeadlineMilliseconds else { return "nil" }
    return milliseconds % 1_000 == 0 ? ".seconds(\(milliseconds / 1_000))" : ".milliseconds(\(milliseconds))"
  }

  // MARK: Server

  var serverParameters: [String] {
    let request = isRaw ? "ByteBuffer" : request
    let context = "context: ServerContext"
    return switch model.kind {
    case .unary: ["_ request: \(request)", context]
    case .clientStreaming: ["_ requests: RequestStream<\(request)>", context]
    case .serverStreaming: ["_ request: \(request)", "responses: ResponseWriter<\(response)>", context]
    case .bidirectionalStreaming:
      ["_ requests: RequestStream<\(request)>", "responses: ResponseWriter<\(response)>", context]
    }
  }

  var serverResult: String {
    switch model.kind {
    case .unary, .clientStreaming: " -> \(response)"
    case .serverStreaming, .bidirectionalStreaming: ""
    }
  }

  /// The function by its full name, so that it cannot be mistaken for a property.
  var serverReference: String {
    switch model.kind {
    case .unary, .clientStreaming: "\(name)(_:context:)"
    case .serverStreaming, .bidirectionalStreaming: "\(name)(_:responses:context:)"
    }
  }

  // MARK: Client

  var clientParameters: [String] {
    let options = "options: CallOptions = CallOptions()"
    return switch model.kind {
    case .unary, .serverStreaming: ["_ request: \(request)", options]
    case .clientStreaming, .bidirectionalStreaming: [options]
    }
  }

  var clientResult: String {
    switch model.kind {
    case .unary: response
    case .clientStreaming: "ClientStreamingCall<\(request), \(response)>"
    case .serverStreaming: "ResponseStream<\(response)>"
    case .bidirectionalStreaming: "BidirectionalCall<\(request), \(response)>"
    }
  }

  var clientArguments: String {
    switch model.kind {
    case .unary, .serverStreaming: "Method.\(name), request, options: options"
    case .clientStreaming, .bidirectionalStreaming: "Method.\(name), options: options"
    }
  }
}
