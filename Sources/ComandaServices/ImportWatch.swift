import ComandaDomain
import ComandaProtos
import SwiftProtobuf

/// What one watcher of an import has seen, and what to tell it next. Pure: the time comes with each progress.
///
/// Total: rows, counts and times may be anything, and a clock may be set back; what does not fit is held at its bound.
struct ImportWatch {
  /// How often to look when no news come.
  static let interval = Duration.milliseconds(250)
  /// The shortest time between two looks.
  static let shortestInterval = Duration.milliseconds(50)
  /// Microseconds between two snapshots: at most four a second, but for the final one.
  private static let snapshotSpacing: Int64 = 250_000
  /// How far back the rate looks, in microseconds.
  private static let rateWindow: Int64 = 3_000_000
  /// The longest remaining time that is told, in seconds: a year. Beyond that the rate says nothing of the end.
  private static let longestRemaining: Double = 366 * 86_400

  private(set) var lastSequence: Int64
  private var lastSent: Timestamp?
  private let expectedRows: Int64?
  private var history: [(at: Timestamp, rows: Int64)] = []

  init(expectedRows: Int64?, after sequence: Int64) {
    self.expectedRows = expectedRows
    self.lastSequence = sequence
  }

  /// The snapshot to send; nil when it is no news, unless it is the last one.
  mutating func snapshot(of progress: ImportProgress) -> Comanda_V1_ImportProgress? {
    let counts = progress.counts
    let done = counts.applied.addingSaturated(counts.unchanged).addingSaturated(counts.failed)
    remember(done, at: progress.at)
    guard progress.state.isFinal || (progress.sequence > lastSequence && isDue(at: progress.at)) else { return nil }
    lastSent = progress.at
    lastSequence = max(lastSequence, progress.sequence)
    var snapshot = Comanda_V1_ImportProgress(progress)
    if snapshot.totalRows == 0 { snapshot.totalRows = expectedRows ?? 0 }
    let rate = self.rate
    snapshot.rowsPerSecond = rate
    let waiting = snapshot.totalRows.subtractingSaturated(done)
    if !progress.state.isFinal, let remaining = Self.remaining(of: waiting, at: rate) {
      snapshot.remaining = remaining
    }
    return snapshot
  }

  /// Keeps what the rate needs. A time before the last one means that the clock was set back: what was measured by the
  /// clock as it went before is of no use.
  private mutating func remember(_ rows: Int64, at moment: Timestamp) {
    if let last = history.last, moment < last.at {
      history = []
      lastSent = nil
    }
    history.append((moment, rows))
    history.removeAll { moment.microseconds.subtractingSaturated($0.at.microseconds) > Self.rateWindow }
  }

  private func isDue(at moment: Timestamp) -> Bool {
    lastSent.map { moment.microseconds.subtractingSaturated($0.microseconds) >= Self.snapshotSpacing } ?? true
  }

  /// Rows per second over the window.
  private var rate: Double {
    guard let first = history.first, let last = history.last, last.at > first.at else { return 0 }
    let microseconds = last.at.microseconds.subtractingSaturated(first.at.microseconds)
    return max(Double(last.rows.subtractingSaturated(first.rows)) / (Double(microseconds) / 1_000_000), 0)
  }

  /// How long so many rows take at this rate; nil when that cannot be told.
  private static func remaining(of rows: Int64, at rate: Double) -> Google_Protobuf_Duration? {
    guard rate > 0, rows > 0 else { return nil }
    let seconds = Double(rows) / rate
    // bounded: floating point does not trap
    guard seconds <= longestRemaining, let milliseconds = Int64(exactly: (seconds * 1_000).rounded(.down)) else {
      return nil
    }
    let nanoseconds = Int32(milliseconds % 1_000) * 1_000_000  // bounded: a remainder below 1,000
    return Google_Protobuf_Duration(seconds: milliseconds / 1_000, nanos: nanoseconds)
  }
}
