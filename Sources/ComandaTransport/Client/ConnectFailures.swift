import ComandaRPC

/// Why a client has no connection: what the addresses and names that it tried met last, and the errors that calls get
/// for it.
struct ConnectFailures {
  /// More addresses would make a message that nobody reads.
  private static let addressesTold = 4

  private let failures: [(place: String, error: RPCError)]

  /// - Parameters:
  ///   - addresses: in their order; of those that are named twice the first counts.
  ///   - names: why they could not be resolved; the errors name them.
  init(addresses: [(Endpoint, RPCError)], names: [RPCError]) {
    var seen: Set<Endpoint> = []
    failures =
      addresses.compactMap { endpoint, error in seen.insert(endpoint).inserted ? ("\(endpoint)", error) : nil }
      + names.map { ("", $0) }
  }

  /// UNAVAILABLE, unless all servers are there and none can be trusted.
  var unreachable: RPCError {
    let code = failures.contains { $0.error.code == .unavailable } ? nil : failures.first?.error.code
    return RPCError(code ?? .unavailable, text, isRejected: true)
  }

  /// Of a call whose time was up while it waited for a connection.
  var deadlinePassed: RPCError {
    let why = failures.isEmpty ? "no connection came about" : text
    return RPCError(.deadlineExceeded, "the call's time was up before it began: \(why)", isRejected: true)
  }

  private var text: String {
    if failures.isEmpty { return "there is no address to connect to" }
    let told = failures.prefix(Self.addressesTold).map { place, error in
      place.isEmpty ? error.message : "cannot connect to \(place): \(error.message)"
    }
    let rest = failures.count - told.count
    return told.joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
  }
}
