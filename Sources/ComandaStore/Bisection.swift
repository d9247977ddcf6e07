/// Finds the rows on account of which a run of rows is refused, by halving it.
enum Bisection {
  /// Most rows of a chunk that may be to blame. When the database refuses more than these, it is hardly on account of
  /// what the rows hold. It also bounds the work: a row of a thousand is found with at most 20 attempts.
  static let refusedLimit = 32

  /// The rows that are refused also when they come alone; nil when there are none, or more than ``refusedLimit``.
  ///
  /// - Parameter rows: A run that is refused as a whole.
  nonisolated(nonsending) static func refused(
    in rows: ClosedRange<Int64>, isRefused: nonisolated(nonsending) (ClosedRange<Int64>) async throws -> Bool
  ) async throws -> [Int64]? {
    var refused: [Int64] = []
    // Runs that are refused, the lowest last. A run is tried only as a half of one that is refused.
    var suspects = [rows]
    while let run = suspects.popLast() {
      if run.lowerBound == run.upperBound {
        refused.append(run.lowerBound)
        if refused.count > refusedLimit { return nil }
        continue
      }
      let middle = run.lowerBound + (run.upperBound - run.lowerBound) / 2  // bounded: within the run
      let (lower, upper) = (run.lowerBound...middle, middle + 1...run.upperBound)  // bounded: within the run
      let isLowerRefused = try await isRefused(lower)
      if try await isRefused(upper) { suspects.append(upper) }
      if isLowerRefused { suspects.append(lower) }
    }
    return refused.isEmpty ? nil : refused
  }
}
