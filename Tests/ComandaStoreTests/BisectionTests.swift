import Testing

@testable import ComandaStore

@Suite("Finding refused rows by halving")
struct BisectionTests {
  /// Attempts, and what was found.
  private func search(_ rows: ClosedRange<Int64>, refused: Set<Int64>) async throws -> (attempts: Int, found: [Int64]?)
  {
    var attempts = 0
    let found = try await Bisection.refused(in: rows) { run in
      attempts += 1
      return refused.contains { run.contains($0) }
    }
    return (attempts, found)
  }

  @Test("finds exactly the refused rows, in their order", arguments: 0..<50 as Range<UInt64>)
  func finds(_ offset: UInt64) async throws {
    var random = SeededGenerator(seed: testSeed &+ offset)
    let first = Int64.random(in: 1...5_000, using: &random)
    let rows = first...first + Int64.random(in: 0...999, using: &random)
    let refused = Set((0..<Int.random(in: 1...20, using: &random)).map { _ in Int64.random(in: rows, using: &random) })
    let found = try await search(rows, refused: refused).found
    #expect(found == refused.sorted(), "COMANDA_TEST_SEED=\(testSeed)")
  }

  @Test("finds one of a thousand with 20 attempts")
  func attempts() async throws {
    #expect(try await search(1...1_000, refused: [777]).attempts <= 20)
    #expect(try await search(5...5, refused: [5]) == (0, [5]))
  }

  @Test("blames nobody when all are refused, or none alone")
  func platformFault() async throws {
    #expect(try await search(1...1_000, refused: Set(1...1_000)).found == nil)
    #expect(try await search(1...1_000, refused: []).found == nil)
    #expect(try await search(1...32, refused: Set(1...32)).found?.count == 32)
  }
}
