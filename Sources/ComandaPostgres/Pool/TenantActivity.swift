import FoundationEssentials

/// Which tenants have made calls lately, so that bulk work steps back while somebody else waits for answers. No I/O; time
/// is an argument.
///
/// On two cores, six connections that stage and apply one tenant's imports made another's `CreateOrder` thirty-six times
/// as slow; where nobody else calls, holding them back would only make the imports slower.
struct TenantActivity {
  typealias Instant = ContinuousClock.Instant

  /// Whoever has called twice within this time is busy: a pause between two calls of somebody at work.
  static let window = Duration.milliseconds(500)
  /// Tenants remembered at most; those who were seen longest ago are forgotten.
  private static let remembered = 256

  private struct Seen {
    var last: Instant
    /// When it had called twice within the window.
    var repeated: Instant?
  }

  private var callers: [UUID: Seen] = [:]
  private var bulkWorkers: [UUID: Seen] = [:]

  /// A tenant wants a short statement, or a connection for something that somebody waits for.
  mutating func called(_ tenant: Tenant, at now: Instant) {
    if let tenant { Self.note(tenant, in: &callers, at: now) }
  }

  /// A tenant wants a connection for bulk work.
  mutating func wantedBulkWork(_ tenant: Tenant, at now: Instant) {
    if let tenant { Self.note(tenant, in: &bulkWorkers, at: now) }
  }

  /// Until when bulk work should step back, because one tenant calls while another is there too; nil when it need not.
  func bulkWorkYields(at now: Instant) -> Instant? {
    var latest: (tenant: UUID, end: Instant)?
    var runnerUp: Instant?
    for (tenant, seen) in callers {
      guard let repeated = seen.repeated, now < repeated + Self.window else { continue }
      let end = repeated + Self.window
      if let known = latest {
        let earlier = min(known.end, end)
        runnerUp = max(runnerUp ?? earlier, earlier)
        if end > known.end { latest = (tenant, end) }
      } else {
        latest = (tenant, end)
      }
    }
    guard let latest else { return nil }
    if let runnerUp { return runnerUp }
    let others = bulkWorkers.compactMap { tenant, seen in tenant == latest.tenant ? nil : seen.last + Self.window }
    guard let other = others.max(), now < other else { return nil }
    return min(latest.end, other)
  }

  private static func note(_ tenant: UUID, in table: inout [UUID: Seen], at now: Instant) {
    if let seen = table[tenant] {
      let isRepetition = now < seen.last + window
      table[tenant] = Seen(last: now, repeated: isRepetition ? now : seen.repeated)
      return
    }
    if table.count >= remembered, let oldest = table.min(by: { $0.value.last < $1.value.last }) {
      table[oldest.key] = nil
    }
    table[tenant] = Seen(last: now, repeated: nil)
  }
}
