import Foundation
import Testing

@testable import ComandaConformance

@Suite("The report")
struct ReportTests {
  private let cases: [ConformanceCase]

  init() throws {
    cases = try CaseLibrary(directory: Place.cases).cases(of: .server, matching: "server.connection.ping")
  }

  private func result(_ index: Int, _ outcome: CaseResult.Outcome) -> CaseResult {
    CaseResult(testCase: cases[index], outcome: outcome, duration: .milliseconds(1500))
  }

  @Test("the last line counts what passed and failed, and a line before it what was skipped")
  func summary() {
    #expect(Report([result(0, .passed)]).summary == "1 passed, 0 failed")
    let report = Report([result(0, .passed), result(1, .failed("no")), result(2, .skipped("none"))])
    #expect(report.summary == "1 skipped\n1 passed, 1 failed")
    #expect(report.failures == 1)
  }

  @Test("JUnit's XML has every case, and escapes what XML does not allow")
  func junit() throws {
    let xml = Report([result(0, .failed("a < \"b\" & c\u{1}")), result(1, .skipped("none"))]).junit(suite: .server)
    #expect(xml.contains(#"tests="2" failures="1" skipped="1" time="3.000""#))
    #expect(xml.contains(#"<failure message="a &lt; &quot;b&quot; &amp; c "/>"#))
    #expect(xml.contains(#"<skipped message="none"/>"#))
  }

  @Test("a known failure passes while it fails, and fails when it passes")
  func knownFailures() async throws {
    try await withTemporaryFolder { folder in
      let file = "\(folder)/known"
      try "# Ours.\n\n\(cases[0].id) the clock is slow\n".write(toFile: file, atomically: true, encoding: .utf8)
      let known = try KnownFailures(file: file, of: cases)
      #expect(known.judge(result(0, .failed("x"))).outcome == .passed)
      #expect(known.judge(result(1, .failed("x"))).outcome == .failed("x"))
      guard case .failed(let reason) = known.judge(result(0, .passed)).outcome else {
        Issue.record("a known failure that passes must fail")
        return
      }
      #expect(reason.contains("the clock is slow"))
      try "no.such.case because\n".write(toFile: file, atomically: true, encoding: .utf8)
      #expect(throws: CaseError.self) { try KnownFailures(file: file, of: cases) }
    }
  }
}
