public import Logging
import Synchronization

/// A log that leaves out lines which come too often: whoever finds a way to make a server log the same again and again
/// fills neither its disk nor the log in which other lines matter.
///
/// Lines are the same when level and message are, whatever their metadata: that is what varies in a flood. The first
/// ``burst`` of them within ``period`` are written as they come. The others are counted, and the first line after the
/// period says in its metadata `left-out` how many there were.
public struct RepeatLimitedLog<Base: LogHandler>: LogHandler {
  /// Lines of one kind that are written within a period.
  public static var burst: Int { 20 }
  /// The period.
  public static var period: Duration { .seconds(10) }
  /// Kinds of lines that are counted; a message with something in it that varies must not fill the memory.
  static var kinds: Int { 1_000 }

  private var base: Base
  private let counts: LineCounts
  private let now: @Sendable () -> ContinuousClock.Instant

  /// A log that writes into another one.
  /// - Parameter now: The clock; tests give another one.
  public init(_ base: Base, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
    self.base = base
    self.counts = LineCounts()
    self.now = now
  }

  /// Those of the log that it writes into.
  public var metadata: Logger.Metadata {
    get { base.metadata }
    set { base.metadata = newValue }
  }

  /// That of the log that it writes into.
  public var logLevel: Logger.Level {
    get { base.logLevel }
    set { base.logLevel = newValue }
  }

  /// One field of the metadata.
  public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { base[metadataKey: key] }
    set { base[metadataKey: key] = newValue }
  }

  /// Writes a line, or counts it.
  public func log(event: LogEvent) {
    switch counts.count(event.level, "\(event.message)", at: now()) {
    case .write: base.log(event: event)
    case .writeAfter(let omitted):
      var event = event
      var metadata = event.metadata ?? [:]
      metadata["left-out"] = "\(omitted)"
      event.metadata = metadata
      base.log(event: event)
    case .leaveOut: break
    }
  }
}

/// How often lines have come; shared by all copies of a log, which is a value.
final class LineCounts: Sendable {
  enum Verdict: Equatable {
    case write
    /// So many were left out since the last one.
    case writeAfter(omitted: Int)
    case leaveOut
  }

  private struct Kind: Hashable {
    let level: Logger.Level
    let message: String
  }

  private struct Count {
    var written = 0
    var omitted = 0
    var end: ContinuousClock.Instant
  }

  private typealias Log = RepeatLimitedLog<SwiftLogNoOpLogHandler>

  private let counts = Mutex<[Kind: Count]>([:])

  func count(_ level: Logger.Level, _ message: String, at now: ContinuousClock.Instant) -> Verdict {
    counts.withLock { counts in
      let kind = Kind(level: level, message: message)
      var count = counts[kind] ?? Count(end: now + Log.period)
      defer { counts[kind] = count }
      if count.end <= now {
        let omitted = count.omitted
        count = Count(written: 1, end: now + Log.period)
        return omitted > 0 ? .writeAfter(omitted: omitted) : .write
      }
      if counts.count >= Log.kinds, counts[kind] == nil { counts = counts.filter { now < $0.value.end } }
      // More kinds than are counted at once: a flood of its own.
      if counts.count >= Log.kinds, counts[kind] == nil { counts.removeAll() }
      guard count.written < Log.burst else {
        count.omitted = min(count.omitted, .max - 1) + 1
        return .leaveOut
      }
      count.written += 1  // bounded: by the burst
      return .write
    }
  }
}
