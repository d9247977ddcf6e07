import ComandaClient
import ComandaProtos

/// What is known of a running import, gathered from its events. Pure: the time comes with each event, as a duration
/// since the start.
struct ProgressMeter {
  /// How far back the rate looks.
  private static let window = Duration.seconds(5)

  private(set) var importID: String?
  /// As it was seen last; nil before the import is there.
  private(set) var state: Comanda_V1_ImportState?
  /// Rows that have their outcome.
  private(set) var done: Int64 = 0
  private(set) var failed: Int64 = 0
  /// Rows that the server has durably.
  private(set) var committed: Int64 = 0
  /// All rows; 0 when not known.
  private(set) var total: Int64 = 0
  /// Whether the total is counted, not guessed.
  private(set) var isTotalExact = false
  private(set) var isUploaded = false
  private var samples: [(at: Duration, done: Int64)] = []

  mutating func take(_ event: ImportEvent, at now: Duration) {
    switch event {
    case .started(let start):
      importID = start.importID
      take(start.progress, at: now)
    case .counted(let rows):
      total = rows
      isTotalExact = true
    case .uploaded: isUploaded = true
    case .progress(let progress): take(progress, at: now)
    case .interrupted: break
    case .resumed(let committedRow): committed = max(committed, committedRow)
    }
  }

  private mutating func take(_ progress: Comanda_V1_ImportProgress, at now: Duration) {
    state = progress.state
    done = progress.doneRows
    failed = progress.failedRows
    committed = progress.committedRow
    if !isTotalExact { total = max(progress.totalRows, total) }
    if progress.state.isFinal || progress.state == .applying {
      total = progress.totalRows > 0 ? progress.totalRows : total
      isTotalExact = true
    }
    samples.append((now, done))
    // One sample from before the window stays, so that a rate spans it.
    while samples.count > 2, samples[1].at <= now - Self.window { samples.removeFirst() }
  }

  /// The share that is done, 0 to 1; nil when the total is not known. A guess never claims to be complete.
  var share: Double? {
    guard total > 0 else { return isTotalExact ? 1 : nil }
    return min(max(Double(done) / Double(total), 0), isTotalExact ? 1 : 0.99)
  }

  /// Rows a second over the last few seconds.
  var rate: Double? {
    guard let first = samples.first, let last = samples.last, last.at > first.at, last.done > first.done else {
      return nil
    }
    return (Double(last.done) - Double(first.done)) / ((last.at - first.at) / .seconds(1))
  }

  /// How long the rest takes at this rate.
  var remaining: Duration? {
    guard let rate, total > done else { return nil }
    return .seconds(min((Double(total) - Double(done)) / rate, Self.longestRemaining))
  }

  /// A hundred days, in seconds: beyond, nobody wants to know.
  private static let longestRemaining = 8_640_000.0
}

extension Comanda_V1_ImportProgress {
  /// Rows that have their outcome; no fewer than none, and no more than there is a number for, whatever a server says.
  var doneRows: Int64 {
    [appliedRows, unchangedRows, failedRows].reduce(0) { sum, rows in
      let (total, overflow) = sum.addingReportingOverflow(max(rows, 0))
      return overflow ? .max : total
    }
  }
}
