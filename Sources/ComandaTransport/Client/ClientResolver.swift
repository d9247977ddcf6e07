import ComandaRPC
import NIOCore
import NIOPosix

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

extension ClientChannel.Target {
  /// The address of a target that names one; nil for a host name.
  /// - Throws: `RPCError` INVALID_ARGUMENT for a port or path that cannot be.
  func fixedEndpoint() throws(RPCError) -> Endpoint? {
    switch location {
    case .unixSocket(let path):
      guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
        throw RPCError(.invalidArgument, "\(path) is too long for the path of a Unix socket", isRejected: true)
      }
      return Endpoint(address: address, serverName: serverName)
    case .host(let host, let port):
      guard (1...65_535).contains(port) else {
        throw RPCError(.invalidArgument, "\(port) is no TCP port; those are 1 to 65535", isRejected: true)
      }
      return (try? SocketAddress(ipAddress: host, port: port)).map { Endpoint(address: $0, serverName: serverName) }
    }
  }

  /// Looks the host up, on a thread that may block; completes on it.
  func resolve(_ completion: @escaping @Sendable (Result<[Endpoint], RPCError>) -> Void) {
    guard case .host(let host, let port) = location else { return }
    NIOThreadPool.singleton.submit { _ in
      completion(
        Result { () throws(RPCError) in
          try Self.addresses(of: host, port: port).map { Endpoint(address: $0, serverName: serverName) }
        })
    }
  }

  private static func addresses(of host: String, port: Int) throws(RPCError) -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &first)
    guard status == 0 else {
      throw RPCError(.unavailable, "cannot resolve \(host): \(reason(status).firstLetterLowercased)")
    }
    defer { freeaddrinfo(first) }
    var addresses: [SocketAddress] = []
    var next = first
    while let entry = next?.pointee {
      switch entry.ai_family {
      case AF_INET:
        entry.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          addresses.append(SocketAddress($0.pointee))
        }
      case AF_INET6:
        entry.ai_addr.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
          addresses.append(SocketAddress($0.pointee))
        }
      default: break
      }
      next = entry.ai_next
    }
    guard !addresses.isEmpty else { throw RPCError(.unavailable, "cannot resolve \(host): it has no IP address") }
    return addresses
  }

  private static func reason(_ status: Int32) -> String {
    status == EAI_SYSTEM ? String(cString: strerror(errno)) : String(cString: gai_strerror(status))
  }
}
