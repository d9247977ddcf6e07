import ComandaClient
import ComandaRPC

/// A meter as a line of text.
struct ProgressText {
  let meter: ProgressMeter

  /// `45%  4,500/10,000 orders  12,300/s  0:01 left  3 failed`
  private var figures: [String] {
    var parts: [String] = []
    if let share = meter.share { parts.append("\(Int((share * 100).rounded(.down)))%") }
    let total = (meter.isTotalExact ? "/" : "/~") + NumberText.grouped(meter.total)
    parts.append(NumberText.grouped(meter.done) + (meter.total > 0 ? total : "") + " orders")
    if let rate = meter.rate { parts.append(NumberText.grouped(Int64(exactly: rate.rounded()) ?? .max) + "/s") }
    if let remaining = meter.remaining { parts.append(NumberText.clock(remaining) + " left") }
    return parts
  }

  /// Why an import waits. Without details it is not the server who says it, unless that is busy: then what matters is
  /// that a connection is lost, if there was one.
  static func reason(of error: RPCError, hasBegun: Bool) -> String {
    if error.isBusy { return "the server is busy (\(error.message))" }
    return hasBegun && error.details.isEmpty ? "the connection to the server is lost" : error.message
  }

  private var failures: String? {
    meter.failed > 0 ? NumberText.grouped(meter.failed) + " failed" : nil
  }

  /// A line for a log.
  var plain: String {
    (figures + [failures].compactMap { $0 }).joined(separator: ", ")
  }

  /// A line with a bar, in at most so many columns. What fits least is left out: first the bar shrinks, then it goes,
  /// then the figures from the last one on.
  func bar(width: Int, style: BarStyle) -> String {
    var figures = figures
    let fixed = { (parts: [String]) in
      (parts + [failures].compactMap { $0 }).reduce(0) { $0 + $1.count + 2 }
    }
    while figures.count > 1, fixed(figures) > width { figures.removeLast() }
    var line = figures.joined(separator: "  ")
    if let failures { line += "  " + style.alarming(failures) }
    let room = min(40, width - fixed(figures) - 2)
    guard room >= 8, let share = meter.share else { return line }
    let filled = Int((Double(room) * share).rounded(.down))
    return style.bar(filled: filled, of: room) + "  " + line
  }
}

/// How a bar looks.
struct BarStyle {
  let isColored: Bool
  let isUnicode: Bool

  init(isColored: Bool, isUnicode: Bool) {
    self.isColored = isColored
    self.isUnicode = isUnicode
  }

  /// The style that the environment asks for: `NO_COLOR` (https://no-color.org), and the locale's character set.
  init(environment: [String: String]) {
    let isPlain = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    self.init(
      isColored: !isPlain && environment["TERM"] != "dumb",
      isUnicode: ["UTF-8", "utf-8", "UTF8", "utf8"].contains { locale.hasSuffix($0) })
  }

  func bar(filled: Int, of width: Int) -> String {
    let done = String(repeating: isUnicode ? "█" : "#", count: filled)
    let rest = String(repeating: isUnicode ? "░" : "-", count: width - filled)
    return isColored ? "\u{1B}[32m\(done)\u{1B}[0m\(rest)" : done + rest
  }

  func alarming(_ text: String) -> String {
    isColored ? "\u{1B}[31m\(text)\u{1B}[0m" : text
  }
}
