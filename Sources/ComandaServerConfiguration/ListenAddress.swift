/// Where to accept connections: a host name or address, and a TCP port.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// On this machine only.
  public static let standard = ListenAddress(host: "127.0.0.1", port: 7443)

  /// A name, an IPv4 address, or an IPv6 address without brackets.
  public let host: String
  /// 0 to 65535; 0 lets the system choose a free one.
  public let port: Int

  /// An address as given; it is not checked.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `HOST:PORT`, an IPv6 address in brackets: `127.0.0.1:7443`, `[::1]:7443`. Nil when it is not that.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let port = text[text.index(after: colon)...]
    guard (1...5).contains(port.count), port.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(port),
      number <= 65_535
    else { return nil }
    var host = text[..<colon]
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = host.dropFirst().dropLast() }
    let allowed: (Character) -> Bool = { character in
      character.isASCII && (character.isLetter || character.isNumber || ".-_".contains(character))
        || isBracketed && ":%".contains(character)
    }
    guard !host.isEmpty, host.allSatisfy(allowed) else { return nil }
    self.init(host: String(host), port: number)
  }

  /// As it is read.
  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}

/// Where to accept connections, and what comes first on them.
public struct Listen: Hashable, Sendable {
  /// The kinds of sockets.
  public enum Socket: Hashable, Sendable {
    case tcp(ListenAddress)
    case unix(path: String)
  }

  /// The socket.
  public let socket: Socket
  /// Whether a load balancer's PROXY header comes ahead of TLS.
  public let isProxied: Bool

  /// On this machine only.
  public static let standard = Listen(socket: .tcp(.standard), isProxied: false)
}

extension Listen {
  /// The longest path that fits a socket's address (`sun_path`).
  private static let longestPath = 107

  /// Reads `HOST:PORT` or `unix:/PATH`; nil when it is neither.
  init?(_ text: some StringProtocol, isProxied: Bool) {
    if text.hasPrefix("unix:") {
      let path = text.dropFirst("unix:".count)
      guard path.hasPrefix("/"), path.utf8.count <= Self.longestPath else { return nil }
      self.init(socket: .unix(path: String(path)), isProxied: isProxied)
    } else {
      guard let address = ListenAddress(String(text)) else { return nil }
      self.init(socket: .tcp(address), isProxied: isProxied)
    }
  }
}
