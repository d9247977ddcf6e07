import SwiftProtobufPluginLibrary

/// What one `.proto` file says of calls, in terms that every target language shares.
struct FileModel {
  /// The file's path as `import` spells it, `comanda/v1/order_service.proto`.
  let path: String
  /// The services of the file, in its order.
  let services: [ServiceModel]
  /// The messages of the file that some service sends or receives, in the file's order, outer before nested.
  let travellingMessages: [Descriptor]
  /// All messages of the file, in its order, outer before nested.
  let messages: [Descriptor]

  /// The models of the files that protoc was asked for. They are made together, because a message of one file may
  /// travel through a service of another.
  static func models(of files: [FileDescriptor]) throws -> [FileModel] {
    let methods = files.lazy.flatMap(\.services).flatMap(\.methods)
    let travelling = Set(methods.flatMap { [$0.inputType.fullName, $0.outputType.fullName] })
    return try files.map { file in
      let messages = file.messages.flatMap(\.withNested)
      return FileModel(
        path: file.name,
        services: try file.services.map(ServiceModel.init),
        travellingMessages: messages.filter { travelling.contains($0.fullName) },
        messages: messages)
    }
  }

  /// Whether there is something to generate.
  func hasContent(with bounds: RequestBounds) -> Bool {
    !services.isEmpty || !travellingMessages.isEmpty || messages.contains { bounds.fields[$0.fullName] != nil }
  }
}

/// A service: a name and its methods.
struct ServiceModel {
  /// The name as the file declares it, `OrderService`.
  let name: String
  /// The name with its package, `comanda.v1.OrderService`.
  let fullName: String
  /// The file that declares it.
  let file: FileDescriptor
  /// The lines of the comment above it, without comment marks.
  let documentation: [String]
  /// Its methods, in the file's order.
  let methods: [MethodModel]

  init(_ service: ServiceDescriptor) throws {
    name = service.name
    fullName = service.fullName
    file = service.file
    documentation = service.documentation
    methods = try service.methods.map(MethodModel.init)
  }
}

/// A method, with the options that the runtime enforces.
struct MethodModel {
  /// Which side sends one message and which a stream of them.
  enum Kind {
    case unary, clientStreaming, serverStreaming, bidirectionalStreaming
  }

  /// The name as the file declares it, `CreateOrder`.
  let name: String
  /// The name with package and service, `comanda.v1.OrderService.CreateOrder`.
  let fullName: String
  /// The path of the file that declares it.
  let path: String
  /// The lines of the comment above it, without comment marks.
  let documentation: [String]
  /// Whether the schema advises against new uses.
  let isDeprecated: Bool
  /// The kind of call.
  let kind: Kind
  /// The message that the caller sends, once or as a stream.
  let request: Descriptor
  /// The message that the server sends, once or as a stream.
  let response: Descriptor
  /// Scope, idempotency, default deadline.
  let options: MethodOptions

  init(_ method: MethodDescriptor) throws {
    name = method.name
    fullName = method.fullName
    path = method.file.name
    documentation = method.documentation
    isDeprecated = method.options.deprecated
    kind =
      switch (method.clientStreaming, method.serverStreaming) {
      case (false, false): .unary
      case (true, false): .clientStreaming
      case (false, true): .serverStreaming
      case (true, true): .bidirectionalStreaming
      }
    request = method.inputType
    response = method.outputType
    options = try MethodOptions(of: method)
  }
}

extension Descriptor {
  /// The message and those declared inside it.
  fileprivate var withNested: [Descriptor] {
    [self] + messages.flatMap(\.withNested)
  }
}

extension ProvidesSourceCodeLocation {
  /// The comment of a declaration, line by line: without comment marks, without the blank that follows them, without
  /// what is meant for linters.
  fileprivate var documentation: [String] {
    let lines = protoSourceComments(commentPrefix: "")
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasPrefix(" ") ? $0.dropFirst() : $0 }
      .filter { !$0.hasPrefix("buf:lint:") }
      .map { line in line.lastIndex { !$0.isWhitespace }.map { String(line[...$0]) } ?? "" }
    guard let first = lines.firstIndex(where: { $0 != "" }), let last = lines.lastIndex(where: { $0 != "" }) else {
      return []
    }
    return Array(lines[first...last])
  }
}
