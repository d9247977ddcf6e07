/// How a case went.
public struct CaseResult: Sendable {
  /// The three ways.
  public enum Outcome: Sendable, Hashable {
    case passed
    /// Says what was expected, and what came instead.
    case failed(String)
    /// Says what was missing.
    case skipped(String)
  }

  /// The case.
  public let testCase: ConformanceCase
  /// How it went.
  public var outcome: Outcome
  /// How long it took.
  public let duration: Duration

  /// Runs a case, and makes of its errors what they mean.
  static func measure(_ testCase: ConformanceCase, _ body: () async throws -> Void) async -> CaseResult {
    let start = ContinuousClock.now
    let outcome: Outcome
    do {
      try await body()
      outcome = .passed
    } catch let skip as CaseSkip {
      outcome = .skipped(skip.description)
    } catch {
      outcome = .failed("\(error)")
    }
    return CaseResult(testCase: testCase, outcome: outcome, duration: .now - start)
  }
}

/// The reason for which a case is not run.
struct CaseSkip: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// Runs cases, some at a time.
/// - Returns: the results in the order of the cases.
func runConcurrently(
  _ cases: [ConformanceCase], atATime count: Int, report: @Sendable (CaseResult) -> Void,
  _ run: @escaping @Sendable (ConformanceCase) async -> CaseResult
) async -> [CaseResult] {
  await withTaskGroup(of: (Int, CaseResult).self) { group in
    var results: [Int: CaseResult] = [:]
    for (index, testCase) in cases.enumerated() {
      if index >= max(1, count), let (done, result) = await group.next() {
        report(result)
        results[done] = result
      }
      group.addTask { (index, await run(testCase)) }
    }
    for await (done, result) in group {
      report(result)
      results[done] = result
    }
    return cases.indices.compactMap { results[$0] }
  }
}
