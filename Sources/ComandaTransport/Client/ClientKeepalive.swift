import NIOCore

/// When a client asks a silent server for a sign of life, and when it gives the connection up. Pure: the time comes with
/// each input.
struct ClientKeepalive {
  enum Action: Equatable {
    /// Look again then.
    case wait(until: NIODeadline)
    /// Send a PING, and look again then.
    case ping(until: NIODeadline)
    /// The server is gone.
    case fail
  }

  private let interval: TimeAmount
  private let intervalWithoutCalls: TimeAmount?
  private let timeout: TimeAmount
  private var lastReceived: NIODeadline
  private var pingSent: NIODeadline?

  init(_ settings: ClientSettings, now: NIODeadline) {
    interval = max(settings.keepaliveInterval, .milliseconds(1))
    intervalWithoutCalls = settings.keepaliveWithoutCalls.map { max($0, .milliseconds(1)) }
    timeout = settings.keepaliveTimeout
    lastReceived = now
  }

  /// When to look for the first time.
  var firstLook: NIODeadline {
    lastReceived + min(interval, intervalWithoutCalls ?? interval)
  }

  /// Something came from the server: any bytes are a sign of life.
  mutating func received(now: NIODeadline) {
    lastReceived = now
    pingSent = nil
  }

  /// Looks how long the server has been silent.
  mutating func look(hasCalls: Bool, now: NIODeadline) -> Action {
    if let pingSent {
      return now - pingSent >= timeout ? .fail : .wait(until: pingSent + timeout)
    }
    // Without calls it still looks at intervals: some may come in between.
    guard let patience = hasCalls ? interval : intervalWithoutCalls else { return .wait(until: now + interval) }
    guard now - lastReceived >= patience else {
      return .wait(until: min(lastReceived + patience, now + interval))
    }
    pingSent = now
    return .ping(until: now + timeout)
  }
}
