/// Where a server accepts connections. All of them speak TLS.
public struct ServerListener: Sendable, Hashable {
  /// The kinds of sockets.
  public enum Socket: Sendable, Hashable {
    /// A TCP port; 0 lets the system choose one. The host is a name or an address, `::1` without brackets.
    case tcp(host: String, port: Int)
    /// A Unix socket, for processes of the same machine. A file that is a socket already is replaced.
    case unix(path: String)
  }

  /// Where to bind.
  public var socket: Socket
  /// Whether each connection begins with a header of the PROXY protocol, version 2, which names the client's address.
  /// Only for a port that nobody but the load balancer reaches: whoever connects is believed.
  public var expectsProxyHeader: Bool

  /// A listener.
  public init(_ socket: Socket, expectsProxyHeader: Bool = false) {
    self.socket = socket
    self.expectsProxyHeader = expectsProxyHeader
  }
}
