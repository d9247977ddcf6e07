/// How many bytes a peer may have under way: windows that grow to what the path carries in a round trip.
///
/// While data flows, a PING goes out now and then; what arrives until its PONG is what the path and the peer carried in
/// one round trip. When that nears the window, the window was the brake, and is doubled, up to its maximum. A peer
/// whose reader stalls sends less, not more, so a window only grows while its bytes are taken. Probes that find nothing
/// become rarer.
struct ReceiveWindows {
  /// PINGs of probes have this bit, so that a keepalive's PONG is not taken for theirs.
  static let probeBit: UInt64 = 1 << 63

  private(set) var connection: UInt64
  private(set) var stream: UInt64
  private let maximumConnection: UInt64
  private let maximumStream: UInt64
  private var probe: (number: UInt64, receivedBefore: UInt64)?
  private var probes: UInt64 = 0
  private var lastProbedAt: UInt64 = 0
  private var interval: UInt64
  private static let longestInterval: UInt64 = 64 << 20

  init(_ limits: Limits) {
    connection = limits.connectionWindow
    stream = limits.streamWindow
    maximumConnection = max(limits.maximumConnectionWindow, limits.connectionWindow)
    maximumStream = max(limits.maximumStreamWindow, limits.streamWindow)
    interval = limits.streamWindow / 4
  }

  private var canGrow: Bool {
    stream < maximumStream || connection < maximumConnection
  }

  /// The number of a PING to send, now that so many bytes arrived in all; nil when none is due.
  mutating func probeDue(received: UInt64) -> UInt64? {
    guard probe == nil, canGrow, received - lastProbedAt >= interval else { return nil }
    probes += 1
    lastProbedAt = received
    let number = Self.probeBit | probes
    probe = (number, received)
    return number
  }

  /// A PONG came; whether it answers a probe.
  mutating func answered(_ number: UInt64, received: UInt64) -> Bool {
    guard let probe, probe.number == number else { return false }
    self.probe = nil
    let carried = received - min(probe.receivedBefore, received)
    if carried >= stream - stream / 3 {
      stream = min(2 * stream, maximumStream)
      connection = min(2 * connection, maximumConnection)
      interval = stream / 4
    } else {
      interval = min(2 * interval, Self.longestInterval)
    }
    return true
  }
}
