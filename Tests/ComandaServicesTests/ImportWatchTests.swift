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
}
