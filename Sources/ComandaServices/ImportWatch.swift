import ComandaDomain
import ComandaProtos
import SwiftProtobuf

/// What one watcher of an import has seen, and what to tell it next. Pure: the time comes with each progress.
struct ImportWatch {
  /// How often to look when no news come.
  static let interval = Duration.milliseconds(250)
  /// The shortest time between two looks.
  static let shortestInterval = Duration.milliseconds(50)
  /// Microseconds between two snapshots: at most four a second, but for the final one.
  private static let snapshotSpacing: Int64 = 250_000
  /// How far back the rate looks, in microseconds.
  private static let rateWindow: Int64 = 3_000_000

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
    let done = counts.applied + counts.unchanged + counts.failed
    history.append((progress.at, done))
    history.removeAll { $0.at.microseconds < progress.at.microseconds - Self.rateWindow }
    guard progress.state.isFinal || (progress.sequence > lastSequence && isDue(at: progress.at)) else { return nil }
    lastSent = progress.at
    lastSequence = max(lastSequence, progress.sequence)
    var snapshot = Comanda_V1_ImportProgress(progress)
    if snapshot.totalRows == 0 { snapshot.totalRows = expectedRows ?? 0 }
    snapshot.rowsPerSecond = rate
    if rate > 0, snapshot.totalRows > done, !progress.state.isFinal {
      let milliseconds = Int64(Double(snapshot.totalRows - done) / rate * 1_000)
      snapshot.remaining = Google_Protobuf_Duration(
        seconds: milliseconds / 1_000, nanos: Int32(milliseconds % 1_000) * 1_000_000)
    }
    return snapshot
  }

  private func isDue(at moment: Timestamp) -> Bool {
    lastSent.map { moment.microseconds - $0.microseconds >= Self.snapshotSpacing } ?? true
  }

  private var rate: Double {
    guard let first = history.first, let last = history.last, last.at > first.at else { return 0 }
    return Double(last.rows - first.rows) / (Double(last.at.microseconds - first.at.microseconds) / 1_000_000)
  }
}
