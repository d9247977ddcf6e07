extension RPCMethod {
  /// A method that the schema has and that this server does not offer: each call ends with UNIMPLEMENTED as soon as it is
  /// opened, its requests unread.
  public static func unimplemented(_ descriptor: MethodDescriptor) -> RPCMethod {
    RPCMethod(
      descriptor: descriptor,
      handler: .refused(
        RPCError(
          .unimplemented, "\(descriptor.path) is part of the schema, but this server does not offer it yet")))
  }
}
