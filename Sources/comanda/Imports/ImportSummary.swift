import ComandaClient
import ComandaProtos

/// How an import ended, in words and as an exit status.
struct ImportSummary {
  private let progress: Comanda_V1_ImportProgress

  init(_ progress: Comanda_V1_ImportProgress) {
    self.progress = progress
  }

  /// `10,000 orders in 3.2 s: 9,990 applied, 5 unchanged, 5 failed`
  func text(elapsed: Duration) -> String {
    let rows = NumberText.grouped(progress.committedRow) + (progress.committedRow == 1 ? " order" : " orders")
    var counts = [NumberText.grouped(progress.appliedRows) + " applied"]
    for (count, name) in [
      (progress.unchangedRows, "unchanged"), (progress.failedRows, "failed"), (progress.unprocessedRows, "unprocessed"),
    ] where count > 0 {
      counts.append("\(NumberText.grouped(count)) \(name)")
    }
    let end = progress.state == .completed ? "" : " (\(progress.state.schemaName))"
    return "\(rows) in \(NumberText.seconds(elapsed, decimals: 1)) s: \(counts.joined(separator: ", "))\(end)"
  }

  /// What to exit with; nil when every row is an order.
  var status: CommandStatus? {
    let isComplete = progress.state == .completed && progress.failedRows == 0 && progress.unprocessedRows == 0
    if isComplete { return nil }
    return progress.appliedRows > 0 || progress.unchangedRows > 0 ? .someRowsFailed : .failed
  }
}
