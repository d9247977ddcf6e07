import Logging
import Synchronization
import Testing

@testable import ComandaTelemetry

@Suite("A log that leaves out repetitions")
struct RepeatLimitedLogTests {
  /// Keeps its lines.
  private struct Kept: LogHandler {
    final class Lines: Sendable {
      let all = Mutex<[(message: String, metadata: Logger.Metadata)]>([])
      var messages: [String] { all.withLock { $0.map(\.message) } }
    }

    let lines: Lines
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      lines.all.withLock { $0.append(("\(event.message)", event.metadata ?? [:])) }
    }
  }

  private final class Clock: Sendable {
    let time = Mutex(ContinuousClock.now)
    func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
  }

  private func makeLog() -> (Logger, Kept.Lines, Clock) {
    let (lines, clock) = (Kept.Lines(), Clock())
    let log = Logger(label: "test") { _ in
      RepeatLimitedLog(Kept(lines: lines)) { clock.time.withLock(\.self) }
    }
    return (log, lines, clock)
  }

  @Test("a flood of one line is cut, whatever its metadata; other lines come through")
  func flood() {
    let (log, lines, _) = makeLog()
    for number in 0..<42_705 { log.error("a statement failed", metadata: ["number": "\(number)"]) }
    log.warning("a statement failed")
    log.error("another line")
    let expected = Array(repeating: "a statement failed", count: 21) + ["another line"]
    #expect(lines.messages == expected)
  }

  @Test("once the period is over, the next line says how many were left out")
  func summary() {
    let (log, lines, clock) = makeLog()
    for _ in 0..<120 { log.error("x", metadata: ["a": "b"]) }
    clock.advance(by: .seconds(10))
    log.error("x", metadata: ["a": "b"])
    log.error("x")
    let last = lines.all.withLock { $0.suffix(2).map(\.metadata) }
    #expect(last == [["a": "b", "left-out": "100"], [:]])
    clock.advance(by: .seconds(10))
    log.error("x")
    #expect(lines.all.withLock { $0.last?.metadata } == [:])
  }

  @Test("copies of a logger share the count, and messages that vary fill no memory")
  func copies() {
    let (log, lines, _) = makeLog()
    for number in 0..<100 {
      var copy = log
      copy[metadataKey: "copy"] = "\(number)"
      copy.info("x")
    }
    #expect(lines.messages.count == 20)
    for number in 0..<5_000 { log.info("line \(number)") }
    #expect(lines.messages.count == 5_020)
  }
}
