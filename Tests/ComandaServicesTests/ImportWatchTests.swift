import ComandaDomain
import Testing

@testable import ComandaServices

struct ImportWatchTests {
  private let start = Timestamp(microseconds: 1_795_000_000_000_000)

  private func progress(
    sequence: Int64, state: ImportState = .receiving, applied: Int64 = 0, milliseconds: Int64 = 0
  ) -> ImportProgress {
    ImportProgress(
      sequence: sequence, state: state, committedRow: applied, appliedRow: applied, totalRows: nil,
      counts: ImportCounts(applied: applied, unchanged: 0, failed: 0, unprocessed: 0),
      at: Timestamp(microseconds: start.microseconds + milliseconds * 1_000))
  }

  @Test("the first look is told, the same sequence is not told again")
  func onlyNews() {
    var watch = ImportWatch(expectedRows: nil, after: 0)
    #expect(watch.snapshot(of: progress(sequence: 3)) != nil)
    #expect(watch.snapshot(of: progress(sequence: 3, milliseconds: 900)) == nil)
    #expect(watch.lastSequence == 3)
  }

  @Test("a watcher that saw a sequence before gets only what is newer")
  func resumes() {
    var watch = ImportWatch(expectedRows: nil, after: 7)
    #expect(watch.snapshot(of: progress(sequence: 7)) == nil)
    #expect(watch.snapshot(of: progress(sequence: 8))?.sequence == 8)
  }

  @Test("snapshots keep a quarter of a second apart, but for the final one, which always comes")
  func spacing() {
    var watch = ImportWatch(expectedRows: nil, after: 0)
    #expect(watch.snapshot(of: progress(sequence: 1)) != nil)
    #expect(watch.snapshot(of: progress(sequence: 2, milliseconds: 249)) == nil)
    #expect(watch.snapshot(of: progress(sequence: 3, milliseconds: 250)) != nil)
    #expect(watch.snapshot(of: progress(sequence: 4, state: .completed, milliseconds: 251)) != nil)
    var late = ImportWatch(expectedRows: nil, after: 4)
    #expect(late.snapshot(of: progress(sequence: 4, state: .completed)) != nil)
  }

  @Test("rate and remaining time come from the last seconds")
  func rate() throws {
    var watch = ImportWatch(expectedRows: 10_000, after: 0)
    _ = watch.snapshot(of: progress(sequence: 1))
    let second = watch.snapshot(of: progress(sequence: 2, applied: 4_000, milliseconds: 2_000))
    let snapshot = try #require(second)
    #expect(snapshot.rowsPerSecond == 2_000)
    #expect(snapshot.totalRows == 10_000)
    #expect(snapshot.remaining.seconds == 3)
    let third = watch.snapshot(of: progress(sequence: 3, applied: 4_000, milliseconds: 60_000))
    let later = try #require(third)
    #expect(later.rowsPerSecond == 0)
    #expect(!later.hasRemaining)
  }

  @Test("a number of rows that cannot be reached in any time tells no remaining time, and traps nothing")
  func unreachable() throws {
    var watch = ImportWatch(expectedRows: .max, after: 0)
    _ = watch.snapshot(of: progress(sequence: 1))
    let second = watch.snapshot(of: progress(sequence: 2, applied: 1, milliseconds: 300))
    let snapshot = try #require(second)
    #expect(snapshot.rowsPerSecond > 0)
    #expect(!snapshot.hasRemaining)
  }

  @Test("a clock that was set back neither silences a watch nor gives a rate out of two times")
  func clockSetBack() {
    var watch = ImportWatch(expectedRows: 10, after: 0)
    _ = watch.snapshot(of: progress(sequence: 1, applied: 1, milliseconds: 600_000))
    let second = watch.snapshot(of: progress(sequence: 2, applied: 2))
    #expect(second?.rowsPerSecond == 0)
    let third = watch.snapshot(of: progress(sequence: 3, applied: 4, milliseconds: 1_000))
    #expect(third?.rowsPerSecond == 2)
  }

  @Test(
    "whatever rows, counts and clock say, a watch lives and says what a schema can hold",
    arguments: 0..<50 as Range<UInt64>)
  func extremes(_ offset: UInt64) {
    let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, 1_000, 1_795_000_000_000_000, .max - 1, .max]
    var random = SeededGenerator(seed: testSeed &+ offset)
    func any() -> Int64 {
      Bool.random(using: &random)
        ? extremes[Int.random(in: 0..<extremes.count, using: &random)] : Int64.random(in: .min ... .max, using: &random)
    }
    var watch = ImportWatch(expectedRows: Bool.random(using: &random) ? any() : nil, after: any())
    for _ in 0..<40 {
      let progress = ImportProgress(
        sequence: any(), state: ImportState.allCases.randomElement(using: &random) ?? .receiving, committedRow: any(),
        appliedRow: any(), totalRows: Bool.random(using: &random) ? any() : nil,
        counts: ImportCounts(applied: any(), unchanged: any(), failed: any(), unprocessed: any()),
        at: Timestamp(microseconds: any()))
      guard let snapshot = watch.snapshot(of: progress) else { continue }
      #expect(snapshot.rowsPerSecond.isFinite && snapshot.rowsPerSecond >= 0, "COMANDA_TEST_SEED=\(testSeed)")
      #expect((0...31_622_400).contains(snapshot.remaining.seconds), "COMANDA_TEST_SEED=\(testSeed)")
    }
  }
}
