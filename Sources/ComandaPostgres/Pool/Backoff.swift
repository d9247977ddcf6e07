/// How long to wait before the next attempt: doubling up to a cap, with full jitter above a floor, so that a
/// fleet of servers does not come back to a restarted database in one blow.
struct Backoff: Sendable {
  var base = Duration.milliseconds(50)
  var cap = Duration.seconds(2)

  /// - Parameters:
  ///   - failures: attempts that failed in a row, from 1.
  ///   - jitter: anything from 0 up to 1.
  func delay(failures: Int, jitter: Double) -> Duration {
    let doublings = min(max(failures - 1, 0), 16)
    let ceiling = min(base * (1 << doublings), cap)
    return base / 2 + (ceiling - base / 2) * min(max(jitter, 0), 1)
  }
}
