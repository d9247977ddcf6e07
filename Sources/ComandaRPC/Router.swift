/// Finds the method that a call names.
public struct Router: Sendable {
  private(set) var methods: [String: RPCMethod] = [:]
  private var services: [String: [String]] = [:]

  /// A router of these services.
  public init(_ services: [any RPCService] = []) {
    for service in services { register(service) }
  }

  /// Adds the methods of a service; a method registered before is replaced.
  public mutating func register(_ service: any RPCService) {
    for method in service.methods { register(method) }
  }

  /// Adds a method; one of the same path registered before is replaced.
  public mutating func register(_ method: RPCMethod) {
    if methods.updateValue(method, forKey: method.descriptor.path) == nil {
      services[method.descriptor.service, default: []].append(method.descriptor.name)
    }
  }

  /// Leaves a method of a registered service out: this server does not offer it. Its calls end with UNIMPLEMENTED when
  /// they are opened, ahead of their requests.
  public mutating func withhold(_ method: MethodDescriptor) {
    register(.unimplemented(method))
  }

  /// The method of a path, `service/name`.
  /// - Throws: `RPCError` UNIMPLEMENTED that names what there is instead.
  public func method(at path: String) throws(RPCError) -> RPCMethod {
    if let method = methods[path] { return method }
    throw unimplemented(path)
  }

  /// The error of a path that no method has.
  func unimplemented(_ path: String) -> RPCError {
    RPCError(.unimplemented, explanation(of: path))
  }

  private func explanation(of path: String) -> String {
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      return "a method is named like comanda.v1.OrderService/GetOrder; this is not of that form"
    }
    guard let names = services[String(parts[0])] else {
      return "this server has no such service; it has \(services.keys.sorted().joined(separator: ", "))"
    }
    return "\(parts[0]) has no such method; it has \(names.sorted().joined(separator: ", "))"
  }
}
