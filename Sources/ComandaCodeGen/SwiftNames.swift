import SwiftProtobufPluginLibrary

/// The Swift names of what a schema declares. Messages are called as SwiftProtobuf's plugin calls them.
struct SwiftNames {
  private let namer = SwiftProtobufNamer()

  /// What a generated file refers to unqualified: a declaration of this very name, possible in a file without package
  /// and prefix, would hide it.
  private static let taken: Set<String> = [
    "ByteBuffer", "CallOptions", "Client", "Method", "MethodDescriptor", "RPCChannel", "RPCMessage", "RPCMethod",
    "RPCService", "RequestStream", "ResponseStream", "ResponseWriter", "Server", "ServerContext", "Unimplemented",
    "BidirectionalCall", "BoundedRequest", "ClientStreamingCall", "MessageBounds",
  ]

  /// The type that carries everything generated for a service.
  func service(_ service: ServiceModel) throws -> String {
    try free(namer.typePrefix(forFile: service.file) + service.name, in: service.file)
  }

  /// The type of a message that travels in a call.
  func message(_ message: Descriptor, usedBy method: MethodModel) throws -> String {
    guard message.file.package != "google.protobuf" else {
      throw SchemaError(
        "\(method.path): \(method.fullName) sends or receives \(message.fullName), which cannot grow; "
          + "declare a message of its own, for instance \(method.name)Response")
    }
    return try self.message(message)
  }

  /// The type of a message.
  func message(_ message: Descriptor) throws -> String {
    try free(namer.fullName(message: message), in: message.file)
  }

  private func free(_ name: String, in file: FileDescriptor) throws -> String {
    guard !Self.taken.contains(name), !Self.isKeyword(name) else {
      throw SchemaError(
        "\(file.name): the Swift type of \(name) would hide what the generated code calls by this name; "
          + "give the file a package or the option swift_prefix")
    }
    return name
  }

  /// The functions and constants of a service's methods, in order, fit to be declared and used as they are.
  func methods(of service: ServiceModel) throws -> [String] {
    var names: [String: MethodModel] = [:]
    return try service.methods.map { method in
      let name = Self.method(method.name)
      if let other = names.updateValue(method, forKey: name) {
        throw SchemaError(
          "\(service.file.name): \(other.fullName) and \(method.fullName) would both be called \(name); rename one")
      }
      return name
    }
  }

  private static func method(_ name: String) -> String {
    let camelCase = NamingUtils.toLowerCamelCase(name)
    // Even in backticks, `x.init` and `x.self` keep their meaning; `all` is the list of all methods.
    if ["all", "init", "self"].contains(camelCase) { return camelCase + "Method" }
    return isKeyword(camelCase) ? "`\(camelCase)`" : camelCase
  }

  private static func isKeyword(_ name: String) -> Bool {
    swiftKeywordsUsedInDeclarations.contains(name) || swiftKeywordsUsedInStatements.contains(name)
      || swiftKeywordsUsedInExpressionsAndTypes.contains(name)
  }
}
