import NIOCore

/// How long an address is left alone after a connection to it failed: exponential, with jitter, so that the clients of a
/// server that comes back do not come all at once. Modelled on
/// https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md, with a shorter first and last pause: the servers
/// are in the same data centre, and are back in seconds.
public struct BackoffPolicy: Sendable {
  /// The pause after the first failure.
  public var first = TimeAmount.milliseconds(100)
  /// No pause is longer, but for the jitter.
  public var longest = TimeAmount.seconds(10)
  /// How much longer each pause is than the one before.
  public var factor = 1.6
  /// By which share a pause may be shorter or longer.
  public var jitter = 0.2
  /// A connection that the server greeted and that lived for so long was a success, and is replaced at once when it
  /// ends: not more often than after the first pause. One that ends earlier is so a few times only.
  public var successAfter = TimeAmount.milliseconds(100)

  /// The defaults.
  public init() {}

  /// The pause after so many failures in a row.
  func pause(afterFailures failures: Int, using random: inout some RandomNumberGenerator) -> TimeAmount {
    var pause = Double(first.nanoseconds)
    let longest = Double(longest.nanoseconds)
    var failures = failures
    while failures > 1, pause < longest {
      pause *= max(1.01, factor)
      failures -= 1
    }
    let share = max(0, min(1, jitter))
    return .nanoseconds(Int64(min(pause, longest) * Double.random(in: 1 - share...1 + share, using: &random)))
  }
}
