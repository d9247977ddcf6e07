import ComandaClient
import ComandaProtos
import ComandaRPC
import Testing

@testable import comanda

struct ProgressTests {
  private static func progress(
    applied: Int64 = 0, failed: Int64 = 0, total: Int64 = 0, state: Comanda_V1_ImportState = .receiving
  ) -> Comanda_V1_ImportProgress {
    .with {
      $0.appliedRows = applied
      $0.failedRows = failed
      $0.committedRow = applied + failed
      $0.totalRows = total
      $0.state = state
    }
  }

  private static func meter(_ events: [(Duration, ImportEvent)]) -> ProgressMeter {
    var meter = ProgressMeter()
    meter.take(.started(ImportStart(importID: "i", progress: progress(total: 1000))), at: .zero)
    for (moment, event) in events { meter.take(event, at: moment) }
    return meter
  }

  @Test("the rate is that of the last seconds, and tells the time left")
  func measuresRate() throws {
    var events = (1...10).map { (Duration.seconds($0), ImportEvent.progress(Self.progress(applied: Int64($0) * 10))) }
    events += (11...20).map { (.seconds($0), .progress(Self.progress(applied: 100 + Int64($0 - 10) * 50))) }
    let meter = Self.meter(events)
    #expect(meter.done == 600)
    #expect(abs(try #require(meter.rate) - 50) < 0.001)
    #expect(meter.remaining == .seconds(8))
  }

  @Test("counts that no import can have do not end the program")
  func survivesAnyCounts() {
    let counts: [Int64] = [.max, .min, 0]
    for applied in counts {
      for failed in counts {
        var meter = Self.meter([])
        let absurd = Comanda_V1_ImportProgress.with {
          $0.appliedRows = applied
          $0.unchangedRows = applied
          $0.failedRows = failed
          $0.totalRows = .max
          $0.state = .applying
        }
        meter.take(.progress(absurd), at: .nanoseconds(1))
        meter.take(.progress(Self.progress(applied: 1)), at: .nanoseconds(2))
        meter.take(.progress(absurd), at: .nanoseconds(3))
        #expect(!ProgressText(meter: meter).plain.isEmpty)
        #expect(!ProgressText(meter: meter).bar(width: 80, style: BarStyle(isColored: false, isUnicode: false)).isEmpty)
        #expect(!ImportSummary(absurd).text(elapsed: .zero).isEmpty)
      }
    }
  }

  @Test("while an import waits, the reason is said as it is")
  func reasons() {
    let busy = RPCError(.resourceExhausted, "too many calls run", trailers: [Metadata.retryAfter: "300"])
    #expect(ProgressText.reason(of: busy, hasBegun: true) == "the server is busy (too many calls run)")
    let reset = RPCError(.unavailable, "cannot connect")
    #expect(ProgressText.reason(of: reset, hasBegun: true) == "the connection to the server is lost")
    #expect(ProgressText.reason(of: reset, hasBegun: false) == "cannot connect")
  }

  @Test("a guessed total never makes an import look complete")
  func distrustsGuess() {
    #expect(Self.meter([(.seconds(1), .progress(Self.progress(applied: 1200)))]).share == 0.99)
    #expect(Self.meter([(.seconds(1), .progress(Self.progress(applied: 999)))]).share == 0.99)
  }

  @Test("once the rows are counted, the count replaces the guess")
  func counts() {
    let meter = Self.meter([
      (.seconds(1), .counted(rows: 1200)), (.seconds(2), .progress(Self.progress(applied: 1200, total: 1000))),
    ])
    #expect(meter.total == 1200)
    #expect(meter.share == 1)
    #expect(meter.remaining == nil)
  }

  @Test("an import without rows is complete at its end")
  func endsEmpty() {
    var meter = ProgressMeter()
    meter.take(.started(ImportStart(importID: "i", progress: Self.progress())), at: .zero)
    #expect(meter.share == nil)
    meter.take(.progress(Self.progress(state: .completed)), at: .seconds(1))
    #expect(meter.share == 1)
  }

  @Test("a bar fits whatever the width, and shows what there is room for")
  func fits() {
    let meter = Self.meter([
      (.seconds(1), .progress(Self.progress(applied: 100))),
      (.seconds(3), .progress(Self.progress(applied: 500, failed: 3))),
    ])
    let style = BarStyle(isColored: false, isUnicode: false)
    for width in 30...200 {
      let line = ProgressText(meter: meter).bar(width: width, style: style)
      #expect(line.count <= width, "\(width): \(line)")
    }
    #expect(
      ProgressText(meter: meter).bar(width: 80, style: style)
        == "#############-------------  50%  503/~1,000 orders  168/s  0:02 left  3 failed")
    #expect(ProgressText(meter: meter).bar(width: 30, style: style) == "######-------  50%  3 failed")
    #expect(ProgressText(meter: meter).plain == "50%, 503/~1,000 orders, 168/s, 0:02 left, 3 failed")
  }

  @Test("colours and blocks come with the environment that wants them")
  func obeysEnvironment() {
    let meter = Self.meter([(.seconds(1), .progress(Self.progress(applied: 500)))])
    let plain = BarStyle(environment: ["NO_COLOR": "1", "LANG": "C"])
    let rich = BarStyle(environment: ["LC_ALL": "ja_JP.UTF-8"])
    #expect(ProgressText(meter: meter).bar(width: 60, style: plain).utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    let colored = ProgressText(meter: meter).bar(width: 60, style: rich)
    #expect(colored.contains("\u{1B}[32m█"))
    #expect(colored.contains("\u{1B}[0m"))
  }

  @Test("an import's end has an exit status and a sentence")
  func summarises() {
    let all = Self.progress(applied: 10, state: .completed)
    let some = Self.progress(applied: 9, failed: 1, state: .completed)
    let none = Self.progress(failed: 1, state: .completed)
    #expect(ImportSummary(all).status == nil)
    #expect(ImportSummary(some).status == .someRowsFailed)
    #expect(ImportSummary(none).status == .failed)
    #expect(ImportSummary(some).text(elapsed: .milliseconds(1234)) == "10 orders in 1.2 s: 9 applied, 1 failed")
    var canceled = Self.progress(applied: 9, state: .canceled)
    canceled.committedRow = 12
    canceled.unprocessedRows = 3
    #expect(ImportSummary(canceled).status == .someRowsFailed)
    #expect(
      ImportSummary(canceled).text(elapsed: .seconds(2))
        == "12 orders in 2.0 s: 9 applied, 3 unprocessed (CANCELED)")
    let unchanged = Comanda_V1_ImportProgress.with {
      $0.state = .completed
      $0.committedRow = 5
      $0.unchangedRows = 5
    }
    #expect(ImportSummary(unchanged).status == nil)
  }
}
