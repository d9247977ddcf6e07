/// How long to wait before PostgreSQL is started again: not at all worth mentioning after a first death, longer the
/// more often it dies young.
struct RestartBackoff: Equatable, Sendable {
  static let shortest: Duration = .milliseconds(100)
  static let longest: Duration = .seconds(10)
  /// Having lived this long, it counts as healthy.
  static let healthyLife: Duration = .seconds(60)

  private var next = shortest

  /// The pause before the next start, after one that lasted as given.
  mutating func pause(afterLife life: Duration) -> Duration {
    if life >= Self.healthyLife { next = Self.shortest }
    defer { next = min(next * 2, Self.longest) }
    return next
  }
}
