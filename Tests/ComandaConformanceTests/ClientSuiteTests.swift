import Foundation
import Testing

@testable import ComandaConformance

@Suite("The client suite", .serialized, .timeLimit(.minutes(20)))
struct ClientSuiteTests {
  private func run(
    _ cases: [ConformanceCase], _ command: [String], patience: Int = 1
  ) async throws -> [CaseResult] {
    try await withTemporaryFolder { folder in
      let suite = try await ClientSuite(command: command, directory: folder, patience: patience)
      let results = try await suite.run(cases)
      try await suite.stop()
      return results
    }
  }

  @Test("the Swift client passes every case")
  func swiftClient() async throws {
    let cases = try CaseLibrary(directory: Place.cases).cases(of: .client)
    let results = try await run(cases, [Place.program(), "swift-client"], patience: Place.patience)
    #expect(results.problems == [])
    #expect(results.count == cases.count)
  }

  @Test("a case fails when it expects another status")
  func mutations() async throws {
    var mutants: [ConformanceCase] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: Place.cases.path) where name.hasPrefix("client") {
      let file = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: Place.cases.appending(path: name)))
      for json in file.object?["cases"]?.array ?? [] {
        guard var object = json.repetitionsWrittenOut.object, var expected = object["expect"]?.array,
          var last = expected.last?.object
        else { continue }
        last["code"] = 77
        expected[expected.count - 1] = .object(last)
        object["expect"] = .array(expected)
        mutants.append(try ConformanceCase(.object(object), suite: .client))
      }
    }
    #expect(mutants.count > 200)
    #expect(try await run(mutants, [Place.program(), "swift-client"]).passed == [])
  }

  @Test(
    "a client that makes no call, one that ends, and one that writes no JSON fail",
    arguments: [
      (#"while read -r line; do echo '{"case": "client.calls.empty-unary", "calls": [{"code": 0}]}'; done"#, "got 0"),
      ("exit 0", "without an answer"), ("while read -r line; do echo hello; done", "no JSON"),
      (#"while read -r line; do echo '{"error": "cannot do that"}'; done"#, "cannot do that"),
    ])
  func wrongClients(script: String, reason: String) async throws {
    let cases = try CaseLibrary(directory: Place.cases).cases(of: .client, matching: "client.calls.empty-unary")
    let results = try await run(cases, ["sh", "-c", script], patience: Place.patience)
    #expect(results.count == 1)
    #expect(results.problems.first?.contains(reason) == true, "\(results.problems)")
  }

  @Test("what a client says that it cannot do is skipped")
  func unsupported() async throws {
    let cases = try CaseLibrary(directory: Place.cases).cases(of: .client, matching: "client.wire.ping")
    let script = #"while read -r line; do echo '{"unsupported": "no calls yet"}'; done"#
    let results = try await run(cases, ["sh", "-c", script], patience: Place.patience)
    #expect(results.allSatisfy { $0.outcome == .skipped("the client cannot: no calls yet") }, "\(results.problems)")
  }
}
