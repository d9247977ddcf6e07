import Foundation
import Testing

@testable import ComandaConformance

@Suite("The case files")
struct CaseFileTests {
  private let library: CaseLibrary

  init() throws {
    library = try CaseLibrary(directory: Place.cases)
  }

  @Test("there are at least 200 cases of each side, each with a sentence")
  func size() {
    #expect(library.cases(of: .server).count >= 200)
    #expect(library.cases(of: .client).count >= 200)
    #expect(library.cases.allSatisfy { $0.sentence.count > 15 && $0.sentence.first?.isUppercase != nil })
  }

  @Test("every section that a case names is a number or a heading of WIRE.md")
  func sections() throws {
    let text = try String(contentsOf: Place.specification, encoding: .utf8)
    let headings = text.split(separator: "\n").filter { $0.hasPrefix("##") }.map { $0.drop { "# ".contains($0) } }
    let known = Set(headings.flatMap { [String($0), String($0.prefix { $0 != "." })] })
    #expect(Set(library.cases.map(\.section)).subtracting(known) == [])
  }

  @Test("a misspelt key, an unknown step, a double id and a wrong number of expected ends are errors")
  func mistakes() async throws {
    let head = #"{"id": "server.a.b", "sentence": "a sentence", "section": "1", "#
    let client = #"{"id": "client.a.b", "sentence": "a sentence", "section": "1", "#
    try await expectError("means nothing there", [head + #""setps": [], "steps": [{"alive": true}]}"#])
    try await expectError("is no step", [head + #""steps": [{"expekt": {"type": "PING"}}]}"#])
    try await expectError("no frame type", [head + #""steps": [{"send": [{"type": "PINK"}]}]}"#])
    try await expectError("has no \"cod\"", [head + #""steps": [{"expect": {"type": "STATUS", "cod": 1}}]}"#])
    try await expectError("has no steps", [head + #""steps": []}"#])
    try await expectError(
      "2 cases with the id", [head + #""steps": [{"alive": true}]}"#, head + #""steps": [{"alive": true}]}"#])
    try await expectError(
      "0 expected ends", [client + #""server": "real", "calls": [{"method": "a/b"}], "expect": []}"#])
  }

  private func expectError(_ part: String, _ cases: [String]) async throws {
    let suite = cases.first?.contains("server.") == true ? "server" : "client"
    let file = #"{"about": "x", "suite": "\#(suite)", "cases": [\#(cases.joined(separator: ","))]}"#
    try await withTemporaryFolder { folder in
      try file.write(toFile: "\(folder)/a.json", atomically: true, encoding: .utf8)
      let error = #expect(throws: CaseError.self) { try CaseLibrary(directory: URL(filePath: folder)) }
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
  }

  @Test("a pattern picks cases by their ids")
  func patterns() {
    let reserved = library.cases(of: .server, matching: "frames*reserved").map(\.id)
    #expect(reserved.count >= 3 && reserved.allSatisfy { $0.hasPrefix("server.frames.reserved-bit-") })
    #expect(library.cases(of: .server, matching: "server.connection.ping").count >= 4)
    #expect(library.cases(of: .client, matching: "nothing of the kind").isEmpty)
  }
}
