/// A setting that cannot be used: which, where it came from, what is wrong, and what would be right. It names no secret.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
  /// One sentence for the operator.
  public let description: String

  /// An error in these words, for checks that are made elsewhere.
  public init(_ description: String) {
    self.description = description
  }

  init(_ setting: Setting, shows value: String? = nil, _ problem: String) {
    description = "\(setting.origin): \(value.map { "\"\($0)\" " } ?? "")\(problem)"
  }
}
