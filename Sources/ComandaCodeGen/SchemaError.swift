/// Something in a schema, or in the parameters given to protoc, that no code can be generated from.
///
/// protoc prints the description and fails.
public struct SchemaError: Error, Hashable, CustomStringConvertible {
  /// What is wrong, where, and what would be right.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}
