import ComandaProtos
import ComandaRPC
import Foundation
import Testing

/// Every method of every service, called with requests that are extreme, random or broken, over TLS by several callers at
/// once, some of whom give up early.
@Suite("Calls of every method by chance")
struct MethodFuzzTests {
  /// Calls of one seed: a few seconds, and enough for the things that they make to meet each other.
  private static let calls = 1_500

  @Test(
    "leave the server alive, and its data and its bystanders whole; all fail as the schema says",
    .timeLimit(.minutes(20)))
  func seeded() async throws {
    try await Server.withOwn { server in
      let totals = try await FuzzRound.run(seed: 2, calls: Self.calls, on: server)
      #expect(totals.violations == [])
      #expect(totals.statuses[.ok, default: 0] > Self.calls / 10)
      #expect(totals.looks > 0)
      try await expectSoundness(of: server)
    }
  }

  /// `deploy/fuzz SECONDS methods` runs this: new seeds for so long.
  @Test("go on for as long as COMANDA_FUZZ_SECONDS says", .enabled(if: seconds != nil))
  func endless() async throws {
    try await Server.withOwn { server in
      let end = ContinuousClock.now + .seconds(Self.seconds ?? 0)
      var (seed, all) = (SeededRandom().seed, FuzzRound.Totals())
      while ContinuousClock.now < end {
        let totals = try await FuzzRound.run(seed: seed, calls: Self.calls, on: server)
        all.add(totals)
        say("seed \(seed): \(totals.report)")
        if !totals.violations.isEmpty {
          say(totals.violations.joined(separator: "\n\n"))
          say("Again: COMANDA_SEED=\(seed) deploy/fuzz 60 methods")
        }
        try #require(totals.violations.isEmpty)
        try #require(defects(of: server) == [])
        seed &+= 1
      }
      try await expectSoundness(of: server)
      say("all: \(all.report)")
    }
  }

  /// Shows a line at once, whatever stdout is.
  private func say(_ line: String) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
  }

  private static let seconds = ProcessInfo.processInfo.environment["COMANDA_FUZZ_SECONDS"].flatMap { Int($0) }

  /// Looks at what the server has stored, and at what it has logged.
  private func expectSoundness(of server: Server) async throws {
    let broken = try await Database.of(server) { try await $0.brokenRules() }
    #expect(broken == [])
    #expect(defects(of: server) == [])
    #expect(server.isRunning)
  }

  /// The lines of the server's log that speak of a defect.
  private func defects(of server: Server) -> [Substring] {
    server.log.split(separator: "\n").filter { $0.contains(" error ") || $0.contains(" critical ") }
  }
}

extension FuzzRound.Totals {
  /// One line.
  fileprivate var report: String {
    let counts = statuses.sorted { $0.value > $1.value }.map { "\($0.key) \($0.value)" }
    return "\(calls) calls, \(looks) looks of a bystander; \(counts.joined(separator: ", "))"
  }
}
