import ComandaRPC
import Logging
import NIOCore
import Synchronization

/// How many connections are open, in all and from each client's network; both are bounded.
final class ConnectionPlaces: Sendable {
  /// Why a connection is refused.
  enum Refusal: String, Error {
    case full = "the server has as many connections as it may (the limit connections)"
    case fullForAddress = "their address has as many connections as it may (the limit connections-per-address)"
  }

  private struct State {
    var count = 0
    var perNetwork: [ClientNetwork: Int] = [:]
    var log = RefusalLog()
  }

  private let most, mostPerNetwork: Int
  private let logger: Logger
  private let state = Mutex(State())

  /// - Parameter logger: told that connections are refused, now and then.
  init(_ settings: ServerSettings, logger: Logger) {
    self.most = settings.connections
    self.mostPerNetwork = settings.connectionsPerAddress
    self.logger = logger
  }

  /// The connections that are open.
  var count: Int {
    state.withLock(\.count)
  }

  /// A new connection's place, which it has to leave; it counts from now on, also while it is being refused.
  func make() -> Place {
    state.withLock { $0.count += 1 }
    return Place(self)
  }

  /// The place of one connection. Confined to its loop.
  final class Place {
    private let places: ConnectionPlaces
    private var network: ClientNetwork?
    private var isLeft = false

    fileprivate init(_ places: ConnectionPlaces) {
      self.places = places
    }

    /// Whether the connection may stay, as one of all.
    func admit() throws(Refusal) {
      try places.refuse(.full, to: nil) { $0.count > places.most }
    }

    /// Whether it may stay, as one of those from this address; a Unix socket's peers have none.
    func admit(from address: SocketAddress?) throws(Refusal) {
      guard network == nil, let address, let network = ClientNetwork(address) else { return }
      try places.refuse(.fullForAddress, to: address) { state in
        let count = state.perNetwork[network, default: 0]
        guard count < places.mostPerNetwork else { return true }
        state.perNetwork[network] = count + 1
        return false
      }
      self.network = network
    }

    /// The connection is over.
    func leave() {
      if isLeft { return }
      isLeft = true
      places.state.withLock { state in
        state.count -= 1
        guard let network, let count = state.perNetwork[network] else { return }
        state.perNetwork[network] = count > 1 ? count - 1 : nil
      }
    }
  }

  private func refuse(
    _ refusal: Refusal, to address: SocketAddress?, if isBeyond: (inout State) -> Bool
  ) throws(Refusal) {
    let (isRefused, count) = state.withLock { state in
      let isRefused = isBeyond(&state)
      return (isRefused, isRefused ? state.log.refused(for: refusal, at: .now()) : nil)
    }
    if let count {
      var metadata: Logger.Metadata = ["reason": "\(refusal.rawValue)", "count": "\(count)"]
      if let address { metadata["latest-peer"] = "\(LogText(address.hostAndPort))" }
      logger.warning("connections are refused", metadata: metadata)
    }
    if isRefused { throw refusal }
  }
}

/// Says now and then how many connections were refused: a line for each would let their peers fill the log.
struct RefusalLog {
  private static let interval = TimeAmount.seconds(10)

  private var counts: [ConnectionPlaces.Refusal: (count: Int, quietUntil: NIODeadline)] = [:]

  /// Counts a refusal; returns how many there were since the last line, if another is due.
  mutating func refused(for reason: ConnectionPlaces.Refusal, at now: NIODeadline) -> Int? {
    var (count, quietUntil) = counts[reason] ?? (0, now)
    count += 1
    let isDue = now >= quietUntil
    counts[reason] = isDue ? (0, now + Self.interval) : (count, quietUntil)
    return isDue ? count : nil
  }
}

/// Where connections come from, as far as one client can choose it: an IPv4 address, or an IPv6 network of 64 bits, of
/// which a single host may use every address.
enum ClientNetwork: Hashable {
  case v4(UInt32)
  case v6(UInt64)

  /// Nil for a Unix socket.
  init?(_ address: SocketAddress) {
    switch address {
    case .v4(let address):
      self = .v4(UInt32(bigEndian: address.address.sin_addr.s_addr))
    case .v6(let address):
      let (network, host) = withUnsafeBytes(of: address.address.sin6_addr) { bytes in
        (
          UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
          UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
      }
      // An IPv4 client of a listener for both: ::ffff:192.0.2.7.
      let isMapped = network == 0 && host >> 32 == 0xFFFF
      self = isMapped ? .v4(UInt32(truncatingIfNeeded: host)) : .v6(network)
    case .unixDomainSocket:
      return nil
    }
  }
}
