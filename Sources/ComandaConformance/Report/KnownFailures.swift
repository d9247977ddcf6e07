import Foundation

/// Cases that fail, and are known to: each with its reason.
public struct KnownFailures: Sendable {
  private let reasons: [String: String]

  /// None.
  public init() {
    reasons = [:]
  }

  /// Reads a file of lines `id reason`; empty lines and those that begin with `#` say nothing.
  /// - Throws: an error that names a line without a reason, or an id that no case has.
  public init(file: String, of cases: [ConformanceCase]) throws {
    let known = Set(cases.map(\.id))
    var reasons: [String: String] = [:]
    for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2 else { throw CaseError("\(file): '\(line)' is not of the form 'id reason'") }
      guard known.contains(String(parts[0])) else { throw CaseError("\(file): there is no case '\(parts[0])'") }
      reasons[String(parts[0])] = String(parts[1])
    }
    self.reasons = reasons
  }

  /// A known failure passes while it fails, and fails when it passes.
  public func judge(_ result: CaseResult) -> CaseResult {
    guard let reason = reasons[result.testCase.id] else { return result }
    var result = result
    switch result.outcome {
    case .passed:
      result.outcome = .failed("it passes, but is listed as a known failure (\(reason)); take it off the list")
    case .failed: result.outcome = .passed
    case .skipped: break
    }
    return result
  }
}
