import Foundation

/// The results of a run, as text, JSON or JUnit's XML.
public struct Report: Sendable {
  private let results: [CaseResult]

  /// A report of these results.
  public init(_ results: [CaseResult]) {
    self.results = results
  }

  /// How many failed.
  public var failures: Int {
    count { if case .failed = $0 { true } else { false } }
  }

  private func count(_ matches: (CaseResult.Outcome) -> Bool) -> Int {
    results.count { matches($0.outcome) }
  }

  /// The last lines: `3 skipped` if there are such, and `211 passed, 1 failed`.
  public var summary: String {
    let skipped = count { if case .skipped = $0 { true } else { false } }
    return (skipped > 0 ? "\(skipped) skipped\n" : "") + "\(count { $0 == .passed }) passed, \(failures) failed"
  }

  /// One result in a line, with what went wrong in a second one.
  public static func line(of result: CaseResult) -> String {
    let testCase = result.testCase
    let sentence = "\(testCase.id) — \(testCase.sentence) (WIRE.md \(testCase.section))"
    return switch result.outcome {
    case .passed: "ok      \(sentence)"
    case .failed(let problem): "not ok  \(sentence)\n        \(problem)"
    case .skipped(let reason): "skipped \(sentence)\n        \(reason)"
    }
  }

  /// One result as a JSON object in one line.
  public static func json(of result: CaseResult) throws -> String {
    let testCase = result.testCase
    var object: [String: JSONValue] = [
      "id": .text(testCase.id), "sentence": .text(testCase.sentence), "section": .text(testCase.section),
      "milliseconds": .number(Int64(result.duration / .milliseconds(1))),
    ]
    switch result.outcome {
    case .passed: object["outcome"] = "passed"
    case .failed(let problem):
      object["outcome"] = "failed"
      object["problem"] = .text(problem)
    case .skipped(let reason):
      object["outcome"] = "skipped"
      object["problem"] = .text(reason)
    }
    return String(decoding: try JSONValue.object(object).encoded, as: UTF8.self)
  }

  /// The report as JUnit's XML, which CI systems read.
  public func junit(suite: ConformanceCase.Suite) -> String {
    let skipped = count { if case .skipped = $0 { true } else { false } }
    let all = results.reduce(Duration.zero) { $0 + $1.duration }
    var xml = #"<?xml version="1.0" encoding="UTF-8"?>"# + "\n"
    xml += "<testsuite name=\"comanda-conformance \(suite.rawValue)\" tests=\"\(results.count)\" "
    xml += "failures=\"\(failures)\" skipped=\"\(skipped)\" time=\"\(Self.seconds(all))\">\n"
    for result in results {
      let testCase = result.testCase
      xml += "  <testcase classname=\"\(Self.escaped("WIRE.md \(testCase.section)"))\" "
      xml += "name=\"\(Self.escaped("\(testCase.id): \(testCase.sentence)"))\" "
      xml += "time=\"\(Self.seconds(result.duration))\""
      switch result.outcome {
      case .passed: xml += "/>\n"
      case .failed(let problem): xml += "><failure message=\"\(Self.escaped(problem))\"/></testcase>\n"
      case .skipped(let reason): xml += "><skipped message=\"\(Self.escaped(reason))\"/></testcase>\n"
      }
    }
    return xml + "</testsuite>\n"
  }

  private static func seconds(_ duration: Duration) -> String {
    String(format: "%.3f", duration / .seconds(1))
  }

  /// A text as the value of an attribute; control characters, which XML has not, become spaces.
  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case _ where scalar.value < 32: escaped += " "
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
