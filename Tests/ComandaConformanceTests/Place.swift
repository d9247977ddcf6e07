import ComandaTestRun
import Foundation

@testable import ComandaConformance

/// Where things are.
enum Place {
  /// The checkout.
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let cases = root.appending(path: "proto/conformance")
  static let specification = root.appending(path: "proto/WIRE.md")

  /// How many times as long as a case says it may take: other tests keep the machine busy, and a sanitizer makes
  /// everything several times slower. Only a case that fails waits so long.
  static let patience = 6

  /// The program, built beside these tests.
  static func program() throws -> String {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(filePath: tests).deletingLastPathComponent().appending(path: "comanda-conformance").path
  }
}

/// Lends a folder that is gone afterwards.
func withTemporaryFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
  try await TestRun.withDirectory("conformance", body)
}

extension [CaseResult] {
  /// What did not pass, with the reason.
  var problems: [String] {
    compactMap { result in
      switch result.outcome {
      case .passed: nil
      case .failed(let problem), .skipped(let problem): "\(result.testCase.id): \(problem)"
      }
    }
  }

  /// The ids of the cases that passed.
  var passed: [String] {
    filter { $0.outcome == .passed }.map(\.testCase.id)
  }
}
