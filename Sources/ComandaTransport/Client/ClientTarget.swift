import NIOCore

extension ClientChannel {
  /// Where a server is, and which name its certificate must have.
  public struct Target: Sendable, Hashable, CustomStringConvertible {
    /// The ways to name a place.
    public enum Location: Sendable, Hashable {
      /// A host name or an IP address, and a TCP port. A name that resolves to several addresses counts as all of them.
      case host(String, port: Int)
      /// The path of a Unix socket.
      case unixSocket(path: String)
    }

    /// The place.
    public let location: Location
    /// The name to find in the server's certificate.
    public let serverName: String

    /// A TCP port of a host.
    /// - Parameter serverName: the name to find in the server's certificate; the host when nil.
    public init(host: String, port: Int, serverName: String? = nil) {
      self.location = .host(host, port: port)
      self.serverName = serverName ?? host
    }

    /// A Unix socket; TLS is spoken over it as over TCP.
    /// - Parameter serverName: the name to find in the server's certificate, since a path is none.
    public init(unixSocket path: String, serverName: String) {
      self.location = .unixSocket(path: path)
      self.serverName = serverName
    }

    /// `host:port`, with brackets around an IPv6 address, or `unix:/path`.
    public var description: String {
      switch location {
      case .host(let host, let port): hostAndPort(host, port)
      case .unixSocket(let path): "unix:\(path)"
      }
    }
  }
}

/// One address of a server: what a connection is made to.
struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  let address: SocketAddress
  let serverName: String

  var description: String {
    if let path = address.pathname, !path.isEmpty { return "unix:\(path)" }
    return address.hostAndPort
  }
}
