/// Where a server listens: a host and a TCP port.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
  /// The port of a server that was not told another.
  public static let defaultPort = 7443

  /// A host name, or an IPv4 or IPv6 address without brackets.
  public let host: String
  /// The TCP port, 1 to 65535.
  public let port: Int

  /// Reads `host:port`, `host` alone, `[::1]:7443` or `[::1]`; nil for anything else.
  public init?(_ text: String) {
    let host: Substring
    let rest: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      host = text[text.index(after: text.startIndex)..<end]
      rest = text[text.index(after: end)...]
    } else {
      let end = text.firstIndex(of: ":") ?? text.endIndex
      host = text[..<end]
      rest = text[end...]
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
    self.host = String(host)
    if rest.isEmpty {
      port = Self.defaultPort
    } else {
      let digits = rest.dropFirst()
      guard rest.hasPrefix(":"), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits),
        port > 0
      else { return nil }
      self.port = Int(port)
    }
  }

  /// `host:port`, with brackets around an IPv6 address.
  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
