/// Where a server listens: a host and a TCP port, or a Unix socket.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
  /// The ways to name a place.
  public enum Location: Sendable, Hashable {
    /// A host name, or an IPv4 or IPv6 address without brackets, and a TCP port, 1 to 65535.
    case host(String, port: Int)
    /// The path of a Unix socket.
    case unixSocket(path: String)
  }

  /// The port of a server that was not told another.
  public static let defaultPort = 7443
  /// A Unix socket's path has at most so many bytes: `sun_path` with the NUL behind it.
  private static let longestPath = 107

  /// The place.
  public let location: Location

  /// Reads `host:port`, `host` alone, `[::1]:7443`, `[::1]` or `unix:/path`; nil for anything else.
  public init?(_ text: String) {
    if text.hasPrefix("unix:/") {
      let path = text.dropFirst("unix:".count)
      guard path.utf8.count <= Self.longestPath, path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { return nil }
      location = .unixSocket(path: String(path))
      return
    }
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
    if rest.isEmpty {
      location = .host(String(host), port: Self.defaultPort)
    } else {
      let digits = rest.dropFirst()
      guard rest.hasPrefix(":"), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits),
        port > 0
      else { return nil }
      location = .host(String(host), port: Int(port))
    }
  }

  /// `host:port`, with brackets around an IPv6 address, or `unix:/path`.
  public var description: String {
    switch location {
    case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unixSocket(let path): "unix:\(path)"
    }
  }
}
