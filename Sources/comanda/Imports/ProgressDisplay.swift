import ComandaClient
import FoundationEssentials
import Synchronization

/// Shows on stderr how an import gets on: a bar on a terminal, lines elsewhere.
final class ProgressDisplay: Sendable {
  /// A bar is drawn at most ten times a second.
  private static let barInterval = Duration.milliseconds(100)
  /// A line is written at most once a second.
  private static let lineInterval = Duration.seconds(1)

  private struct State {
    var meter = ProgressMeter()
    var shownAt: Duration?
    var shownLine = ""
    var isInterrupted = false
    var isDrawingDue = false
    var isFinished = false
  }

  private let start = ContinuousClock.now
  private let isUploading: Bool
  private let bar: BarStyle?
  private let state = Mutex(State())

  /// A display that suits the terminal and the environment.
  /// - Parameter isUploading: false when the import is only followed.
  init(isUploading: Bool) {
    self.isUploading = isUploading
    let environment = ProcessInfo.processInfo.environment
    bar = StandardError.isTerminal && environment["TERM"] != "dumb" ? BarStyle(environment: environment) : nil
  }

  /// Since the import began.
  var elapsed: Duration {
    ContinuousClock.now - start
  }

  var meter: ProgressMeter {
    state.withLock { $0.meter }
  }

  func show(_ event: ImportEvent) {
    let now = elapsed
    state.withLock { state in
      state.meter.take(event, at: now)
      if let note = note(on: event, &state) { write(note: note, state) }
      let interval = bar == nil ? Self.lineInterval : Self.barInterval
      if let shownAt = state.shownAt, now - shownAt < interval {
        drawLater(&state, in: interval - (now - shownAt))
      } else {
        draw(&state, at: now)
      }
    }
  }

  /// Shows what came too soon after the last drawing, since nothing else may follow: the server may have gone away.
  private func drawLater(_ state: inout State, in pause: Duration) {
    if state.isDrawingDue { return }
    state.isDrawingDue = true
    Task {
      try? await Task.sleep(for: pause)
      self.state.withLock { state in
        state.isDrawingDue = false
        if !state.isFinished { draw(&state, at: elapsed) }
      }
    }
  }

  /// Shows the last state, whatever was shown before.
  func finish() {
    state.withLock { state in
      state.isFinished = true
      guard state.meter.importID != nil else { return }
      draw(&state, at: elapsed)
      if bar != nil { StandardError.write("\n") }
    }
  }

  /// What deserves a line of its own: the import's id, and the beginning and the end of an interruption.
  private func note(on event: ImportEvent, _ state: inout State) -> String? {
    switch event {
    case .started(let start):
      state.isInterrupted = false
      var note = "import \(start.importID)"
      let row = start.progress.committedRow
      if row > 0, isUploading { note += ", going on after row \(NumberText.grouped(row))" }
      if !start.unusedColumns.isEmpty {
        note += "\ncolumns that are not imported: \(Printable(start.unusedColumns.joined(separator: ", ")))"
      }
      return note
    case .interrupted(let error):
      if state.isInterrupted { return nil }
      state.isInterrupted = true
      return "\(Printable(ProgressText.reason(of: error, hasBegun: state.meter.importID != nil))); trying again"
    case .resumed(let row):
      state.isInterrupted = false
      return "going on after row \(NumberText.grouped(row))"
    case .progress:
      defer { state.isInterrupted = false }
      return nil
    case .counted, .uploaded:
      return nil
    }
  }

  private func write(note: String, _ state: State) {
    StandardError.write(bar == nil ? "\(note)\n" : "\r\u{1B}[K\(note)\n\(state.shownLine)")
  }

  private func draw(_ state: inout State, at now: Duration) {
    guard state.meter.importID != nil else { return }
    let text = ProgressText(meter: state.meter)
    // The last column stays free: some terminals break the line there.
    let line = bar.map { text.bar(width: StandardError.width - 1, style: $0) } ?? text.plain
    if line == state.shownLine { return }
    state.shownLine = line
    state.shownAt = now
    StandardError.write(bar == nil ? "\(line)\n" : "\r\u{1B}[K\(line)")
  }
}
