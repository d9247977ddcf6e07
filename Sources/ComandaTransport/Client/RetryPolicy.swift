import ComandaRPC
import NIOCore

/// Which calls are made again when they fail.
///
/// A call is repeated only when it surely did not start, or when it failed with UNAVAILABLE (as it does when its
/// connection is lost) and the schema says that repeating it does no harm. All attempts share the call's deadline.
///
/// - A rejected call is repeated at once, one time: a draining or busy connection said no, and another may say yes.
/// - Otherwise with a pause of random length (full jitter) and out of a budget.
/// - A trailer `retry-after-ms` sets the pause; a negative one forbids the retry. With it, RESOURCE_EXHAUSTED of a
///   repeatable call is repeated too: the server said when there is room.
/// - A streaming call is repeated only while its caller has neither sent nor received a message.
public struct RetryPolicy: Sendable {
  /// How often a call is made at most, the first time included. 1 for no retries.
  public var maximumAttempts = 4
  /// The longest first pause. Each further one may be twice as long.
  public var firstPause = TimeAmount.milliseconds(100)
  /// No pause of our own is longer.
  public var longestPause = TimeAmount.seconds(2)
  /// The longest pause that a server may ask for; a call that is asked for more fails.
  public var longestPushBack = TimeAmount.seconds(30)
  /// What retries may add to the load.
  public var budget = RetryBudget()

  /// The defaults.
  public init() {}
}

/// A bound on the retries of a channel: a share of its calls, and a few each second for channels with few calls.
///
/// A share of the calls, as Finagle has it, rather than gRPC's bucket of ten tokens that each failure empties by one: a
/// connection that is lost fails all calls on it, up to 256, in one moment, and the bucket would refuse to repeat nearly
/// all of them though nothing is overloaded. In the long run both allow the same: a fraction of the load.
public struct RetryBudget: Sendable {
  /// Retries that each call pays for.
  public var share = 0.2
  /// Retries a second whatever the calls.
  public var perSecond = 10.0
  /// Retries that can be saved up, and that a new channel has: twice the calls of a lost connection.
  public var capacity = 512.0

  /// The defaults.
  public init() {}
}

/// What is left of a channel's retry budget.
struct RetryAllowance {
  private let budget: RetryBudget
  private var tokens: Double
  private var calls: UInt64 = 0
  private var countedAt: NIODeadline

  init(_ budget: RetryBudget, now: NIODeadline) {
    self.budget = budget
    self.tokens = budget.capacity
    self.countedAt = now
  }

  /// Takes one retry out, if there is one.
  /// - Parameter calls: how many calls the channel has made so far.
  mutating func withdraw(calls: UInt64, now: NIODeadline) -> Bool {
    let seconds = Double(max(0, (now - countedAt).nanoseconds)) / 1e9
    let newCalls = Double(calls &- self.calls)
    tokens = min(budget.capacity, tokens + newCalls * budget.share + seconds * budget.perSecond)
    self.calls = calls
    countedAt = max(now, countedAt)
    guard tokens >= 1 else { return false }
    tokens -= 1
    return true
  }
}

/// The attempts of one call.
struct RetrySequence {
  /// Attempts so far, the one that runs included.
  private(set) var attempts = 1
  private var hasRepeatedRejected = false

  /// Decides about another attempt, and counts it; nil when the call has failed.
  mutating func pause(
    after error: RPCError, of idempotency: MethodDescriptor.Idempotency, limit: Int, policy: RetryPolicy,
    deadline: NIODeadline?, now: NIODeadline, using random: inout some RandomNumberGenerator, withdraw: () -> Bool
  ) -> TimeAmount? {
    guard attempts < limit else { return nil }
    let pushBack = error.trailers[Metadata.retryAfter]
    guard Self.isRepeatable(error, idempotency, hasPushBack: pushBack != nil) else { return nil }
    let pause: TimeAmount
    if let pushBack {
      guard let milliseconds = Int64(pushBack), milliseconds >= 0,
        milliseconds <= policy.longestPushBack.nanoseconds / 1_000_000
      else { return nil }
      pause = .milliseconds(milliseconds)
    } else if error.isRejected, !hasRepeatedRejected {
      hasRepeatedRejected = true
      attempts += 1
      return .zero
    } else {
      let ceiling = min(policy.longestPause, policy.firstPause * (1 << min(attempts - 1, 16)))
      pause = .nanoseconds(Int64.random(in: 0...max(0, ceiling.nanoseconds), using: &random))
    }
    if let deadline, now + pause >= deadline { return nil }
    guard withdraw() else { return nil }
    attempts += 1
    return pause
  }

  private static func isRepeatable(
    _ error: RPCError, _ idempotency: MethodDescriptor.Idempotency, hasPushBack: Bool
  ) -> Bool {
    switch error.code {
    case .unavailable: error.isRejected || idempotency != .notIdempotent
    case .resourceExhausted: hasPushBack && idempotency != .notIdempotent
    default: false
    }
  }
}
