import ComandaWire
import NIOCore

/// Decides what a connection's age and silence call for. It has no clock: time is an argument.
///
/// `handshaking` ──TLS is complete──▶ `introducing` ──HELLO──▶ `open`
struct ConnectionTimekeeper {
  /// What is due.
  enum Action: Equatable {
    case none
    /// Ask for a sign of life.
    case ping
    /// Let the connection end once its calls have.
    case drain(reason: String)
    /// End it now: the peer is at fault.
    case cut(reason: String)
  }

  private enum Stage {
    case handshaking(since: NIODeadline)
    case introducing(since: NIODeadline)
    case open
  }

  private let settings: ServerSettings
  private let idleTimeout: TimeAmount
  private let endOfLife: NIODeadline
  private var stage: Stage
  private var heardAt: NIODeadline
  private var usedAt: NIODeadline
  private var isUsed = false
  private var askedAt: NIODeadline?
  private var blockedSince: NIODeadline?
  private var unwrittenBytes: Int?
  private var isDraining = false

  /// A connection that was accepted now.
  /// - Parameter chance: -1 to 1: where in the span of the jitter this connection's times lie.
  init(_ settings: ServerSettings, at now: NIODeadline, chance: Double) {
    let share = 1 + settings.jitter * chance
    func varied(_ time: TimeAmount) -> TimeAmount {
      // A time as good as endless may lie beyond what can be counted.
      .nanoseconds(Int64(exactly: (Double(time.nanoseconds) * share).rounded()) ?? .max)
    }
    self.settings = settings
    self.idleTimeout = varied(settings.idleTimeout)
    self.endOfLife = now + varied(settings.maximumAge)
    self.stage = .handshaking(since: now)
    self.heardAt = now
    self.usedAt = now
  }

  mutating func handshakeCompleted(at now: NIODeadline) {
    stage = .introducing(since: now)
    heardAt = now
  }

  mutating func introduced(at now: NIODeadline) {
    stage = .open
    usedAt = now
  }

  /// Bytes of the peer came.
  mutating func heard(at now: NIODeadline) {
    heardAt = now
    askedAt = nil
  }

  /// A call was opened (it may end before anybody looks), or the peer showed who it is.
  mutating func used(at now: NIODeadline) {
    usedAt = now
    isUsed = true
  }

  /// The socket stopped, or began again, to take bytes.
  mutating func writability(_ isWritable: Bool, at now: NIODeadline) {
    blockedSince = isWritable ? nil : blockedSince ?? now
    if isWritable { unwrittenBytes = nil }
  }

  /// So many bytes wait for a socket that takes no more now. Fewer than before are progress: who reads slowly is not cut
  /// as one who does not read.
  mutating func unwritten(_ bytes: Int, at now: NIODeadline) {
    if let before = unwrittenBytes, bytes < before, blockedSince != nil { blockedSince = now }
    unwrittenBytes = bytes
  }

  /// A drain has begun: it is not called for again.
  mutating func drainBegan() {
    isDraining = true
  }

  /// What is due now.
  mutating func check(at now: NIODeadline, openCalls: Int) -> Action {
    switch stage {
    case .handshaking(let since):
      return now - since > settings.handshakeTimeout
        ? .cut(reason: "the TLS handshake took longer than \(settings.handshakeTimeout.inWords)") : .none
    case .introducing(let since):
      return now - since > settings.firstFrameTimeout
        ? .cut(reason: "no HELLO came within \(settings.firstFrameTimeout.inWords)") : .none
    case .open: break
    }
    if openCalls > 0 { used(at: now) }
    if let blockedSince, now - blockedSince > settings.stallTimeout {
      return .cut(reason: "nothing was read for \(settings.stallTimeout.inWords)")
    }
    if let askedAt {
      if now - askedAt > settings.keepaliveTimeout {
        return .cut(reason: "no PONG came within \(settings.keepaliveTimeout.inWords)")
      }
    } else if now - heardAt > settings.keepaliveInterval {
      askedAt = now
      return .ping
    }
    if isDraining { return .none }
    if !isUsed, now - usedAt > settings.firstCallTimeout {
      return .drain(reason: "neither a call nor a credential came within \(settings.firstCallTimeout.inWords)")
    }
    if now - usedAt > idleTimeout { return .drain(reason: "no call for \(idleTimeout.inWords)") }
    if now > endOfLife { return .drain(reason: "the connection is old") }
    return .none
  }
}
