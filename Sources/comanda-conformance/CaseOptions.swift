import ArgumentParser
import ComandaConformance
import Foundation

/// Which cases are run, and how their results are told.
struct CaseOptions: ParsableArguments {
  @Option(help: "Folder of the case files; by default that of this checkout or installation.")
  var cases: String?

  @Option(help: "Only the cases whose id contains this; * stands for anything.")
  var filter: String?

  @Option(help: "How many times as long as usual a case may take, for a slow machine or a slow build.")
  var patience = 1

  @Option(help: "File of cases that fail and are known to, one 'id reason' a line.")
  var knownFailures: String?

  @Option(help: "Write JUnit's XML to this file too.")
  var junit: String?

  @Flag(help: "Print one JSON object a case instead of text.")
  var json = false

  @Flag(help: "Print the cases, and run none.")
  var list = false

  func validate() throws {
    guard (1...100).contains(patience) else { throw ValidationError("--patience is a number from 1 to 100") }
  }

  /// The cases of a suite.
  func selected(_ suite: ConformanceCase.Suite) throws -> [ConformanceCase] {
    let selected = try library().cases(of: suite, matching: filter)
    guard !selected.isEmpty else { throw ValidationError("no case of the suite matches '\(filter ?? "")'") }
    return selected
  }

  private func library() throws -> CaseLibrary {
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    return try CaseLibrary(
      directory: cases.map { URL(filePath: $0) } ?? CaseLibrary.standardDirectory(program: program))
  }

  /// Prints the cases.
  func printList(_ cases: [ConformanceCase]) {
    for testCase in cases { print("\(testCase.id) — \(testCase.sentence) (WIRE.md \(testCase.section))") }
    print("\(cases.count) cases")
  }

  /// Runs cases, tells the results, and fails when one failed.
  func report(
    _ suite: ConformanceCase.Suite, _ cases: [ConformanceCase],
    _ run: ([ConformanceCase], @escaping @Sendable (CaseResult) -> Void) async throws -> [CaseResult]
  ) async throws {
    let known = try knownFailures.map { try KnownFailures(file: $0, of: library().cases) } ?? KnownFailures()
    let isJSON = json
    let results = try await run(cases) { result in
      let result = known.judge(result)
      guard let line = isJSON ? try? Report.json(of: result) : Report.line(of: result) else { return }
      try? FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
    }.map(known.judge)
    let report = Report(results)
    if let junit { try report.junit(suite: suite).write(toFile: junit, atomically: true, encoding: .utf8) }
    if !json { print("\n\(report.summary)") }
    if report.failures > 0 { throw SomeFailed() }
  }
}
