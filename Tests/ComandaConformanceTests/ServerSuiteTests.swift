import ComandaTLS
import ComandaTransport
import Foundation
import Testing

@testable import ComandaConformance

@Suite("The server suite", .serialized, .timeLimit(.minutes(20)))
struct ServerSuiteTests {
  /// Runs cases against the real server.
  private func run(_ cases: [ConformanceCase], patience: Int = 1) async throws -> [CaseResult] {
    try await withTemporaryFolder { folder in
      let certificates = try DevelopmentCertificates(in: folder)
      var settings = ServerSettings()
      // The suite's own HELLO may be late while other tests keep the machine busy.
      settings.firstFrameTimeout = .seconds(10)
      let server = try ClientSuite.server(certificates.identity, settings: settings)
      let address = try await server.listen(host: "127.0.0.1", port: 0)
      let port = Int(address.split(separator: ":").last ?? "") ?? 0
      let target = ServerTarget(host: "127.0.0.1", port: port, trust: certificates.trust)
      let suite = try await ServerSuite(target, patience: patience)
      let results = await suite.run(cases)
      try await server.drain()
      return results
    }
  }

  @Test("our server passes every case")
  func server() async throws {
    let cases = try CaseLibrary(directory: Place.cases).cases(of: .server)
    let results = try await run(cases, patience: Place.patience)
    #expect(results.problems == [])
    #expect(results.count == cases.count)
  }

  @Test("a case fails when it expects another CLOSE, another status, or a connection that goes on in place of its end")
  func mutations() async throws {
    var mutants: [ConformanceCase] = []
    for name in try FileManager.default.contentsOfDirectory(atPath: Place.cases.path) where name.hasPrefix("server") {
      let file = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: Place.cases.appending(path: name)))
      for json in file.object?["cases"]?.array ?? [] {
        guard let mutant = Self.mutant(of: json.repetitionsWrittenOut) else { continue }
        // Those that wait for a server's patience to end take as long as the whole suite.
        if mutant.object?["id"].map(Self.patient.contains) == true { continue }
        mutants.append(try ConformanceCase(mutant, suite: .server))
      }
    }
    #expect(mutants.count > 200)
    #expect(try await run(mutants).passed == [])
  }

  private static let patient: [JSONValue] = [
    "server.connection.slow-handshake", "server.connection.no-hello", "server.connection.half-a-hello",
  ]

  /// The case with the last step changed that has a definite answer; nil when there is none.
  private static func mutant(of json: JSONValue) -> JSONValue? {
    guard var object = json.object, var steps = object["steps"]?.array else { return nil }
    for index in steps.indices.reversed() {
      guard let mutated = mutant(ofStep: steps[index]) else { continue }
      steps[index] = mutated
      object["steps"] = .array(steps)
      return .object(object)
    }
    return nil
  }

  private static func mutant(ofStep json: JSONValue) -> JSONValue? {
    guard let step = json.object else { return nil }
    if step["expect_close"] != nil { return ["expect_close": 99] }
    if step["expect_end"] != nil || step["expect_refusal"] != nil { return ["expect_close": 0] }
    if var answer = step["expect_answer"]?.object {
      answer["code"] = 77
      return ["expect_answer": .object(answer)]
    }
    return nil
  }

  @Test("a server that cannot be reached, and one whose certificate is not trusted, are errors")
  func unreachable() async throws {
    try await withTemporaryFolder { folder in
      let certificates = try DevelopmentCertificates(in: "\(folder)/a")
      let others = try DevelopmentCertificates(in: "\(folder)/b")
      let nowhere = ServerTarget(host: "127.0.0.1", port: 1, trust: certificates.trust)
      await #expect(throws: (any Error).self) { try await ServerSuite(nowhere) }
      let server = try ClientSuite.server(others.identity)
      let address = try await server.listen(host: "127.0.0.1", port: 0)
      let port = Int(address.split(separator: ":").last ?? "") ?? 0
      let error = await #expect(throws: ScriptFailure.self) {
        try await ServerSuite(
          ServerTarget(host: "127.0.0.1", port: port, trust: certificates.trust), patience: Place.patience)
      }
      #expect(error?.description.contains("certificate") == true, "\(String(describing: error))")
      try await server.drain()
    }
  }
}
