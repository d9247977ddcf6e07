/// A libpq connection URI (PostgreSQL's documentation, 34.1.1.2). Its description hides passwords.
public struct DatabaseURL: Hashable, Sendable, CustomStringConvertible {
  /// The URI with all that it holds, for libpq and for nothing else.
  public let text: String

  /// Nil when it does not begin with `postgresql://` or `postgres://`, or holds what no URI may.
  public init?(_ text: String) {
    guard ["postgresql://", "postgres://"].contains(where: text.hasPrefix),
      text.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 32 && $0.value != 127 })
    else { return nil }
    self.text = text
  }

  /// The URI with every password replaced by `***`, for logs.
  public var description: String {
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var result = Self.maskingUserInfo(String(parts.first ?? ""))
    if parts.count > 1 {
      let parameters = parts[1].split(separator: "&", omittingEmptySubsequences: false).map { parameter in
        let name = parameter.prefix { $0 != "=" }
        return name.lowercased().contains("password") ? "\(name)=***" : String(parameter)
      }
      result += "?" + parameters.joined(separator: "&")
    }
    return result
  }

  /// `scheme://user:password@host/…`. The last `@` ends the user's part, also when a password holds one unescaped.
  private static func maskingUserInfo(_ text: String) -> String {
    guard let scheme = text.firstRange(of: "://") else { return text }
    guard let at = text.lastIndex(of: "@"), let colon = text[scheme.upperBound..<at].firstIndex(of: ":") else {
      return text
    }
    return text[...colon] + "***" + text[at...]
  }
}
