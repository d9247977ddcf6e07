import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Where a server accepts connections. All of them speak TLS.
public struct ServerListener: Sendable, Hashable {
  /// The kinds of sockets.
  public enum Socket: Sendable, Hashable, CustomStringConvertible {
    /// A TCP port; 0 lets the system choose one. The host is a name or an address, `::1` without brackets.
    case tcp(host: String, port: Int)
    /// A Unix socket, for processes of the same machine. A socket that nobody listens at any more is replaced.
    case unix(path: String)

    /// As in ``RPCServer/listen(on:)``: `127.0.0.1:7443`, `[::1]:7443`, `unix:/run/comanda.sock`.
    public var description: String {
      switch self {
      case .tcp(let host, let port): hostAndPort(host, port)
      case .unix(let path): "unix:\(path)"
      }
    }
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

/// A server cannot listen; says where, and what is in the way.
public struct ListenError: Error, Sendable, CustomStringConvertible {
  /// The reason, for an operator.
  public let description: String

  init(_ socket: ServerListener.Socket, _ error: any Error) {
    let reason =
      switch error {
      case let error as IOError: String(cString: strerror(error.errnoCode)).firstLetterLowercased
      case is SocketAddressError.UnknownHost: "the host has no address"
      default: "\(error)"
      }
    description = "cannot listen at \(socket): \(reason)"
  }
}
