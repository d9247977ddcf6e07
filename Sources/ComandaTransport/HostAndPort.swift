import NIOCore

/// A host and a port as one text, an IPv6 address in brackets: `127.0.0.1:7443`, `[::1]:7443`.
func hostAndPort(_ host: String, _ port: Int) -> String {
  host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
}

extension SocketAddress {
  /// `127.0.0.1:7443`, `[::1]:7443`; a Unix socket's path.
  var hostAndPort: String {
    guard let ip = ipAddress, let port else { return pathname ?? "\(self)" }
    return ComandaTransport.hostAndPort(ip, port)
  }
}
