import FoundationEssentials
import Glibc

/// A process, told apart from a later one that was given the same number.
struct ProcessIdentity: Hashable, Sendable {
  let pid: pid_t
  /// Clock ticks between the machine's start and the process's.
  let startTime: UInt64
}

/// What the kernel says about processes, read from `/proc`.
enum ProcessTable {
  /// The process of that number, or nil when there is none. One that has ended is there until it is reaped.
  static func process(_ pid: pid_t) -> ProcessIdentity? {
    entry(of: pid).map { ProcessIdentity(pid: pid, startTime: $0.startTime) }
  }

  static func isAlive(_ process: ProcessIdentity) -> Bool {
    guard let entry = entry(of: process.pid) else { return false }
    return entry.startTime == process.startTime && !entry.hasEnded
  }

  /// Sends the signal unless the process has ended and its number may mean another.
  static func signal(_ signal: Int32, _ process: ProcessIdentity) {
    if isAlive(process) { kill(process.pid, signal) }
  }

  /// Every living process of PostgreSQL that works in the data directory, server or `initdb`.
  static func postgresProcesses(in directory: FileIdentity) -> [ProcessIdentity] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { pid_t($0) }.compactMap { postgresProcess($0, in: directory) }
  }

  /// The living process of that number, if it is one of PostgreSQL's and works in the data directory: that is its
  /// working directory, or its descriptor 3, which is how `ProcessLaunch` starts it. The program's name is asked for
  /// too, for an operator's shell may stand in the directory.
  static func postgresProcess(_ pid: pid_t, in directory: FileIdentity) -> ProcessIdentity? {
    guard let entry = entry(of: pid), !entry.hasEnded, ["postgres", "initdb"].contains(entry.program),
      ["cwd", "fd/3"].contains(where: { link in
        FileStatus(path: "/proc/\(pid)/\(link)", followingLinks: true)?.identity == directory
      })
    else { return nil }
    return ProcessIdentity(pid: pid, startTime: entry.startTime)
  }

  private static func entry(of pid: pid_t) -> StatEntry? {
    guard pid > 0 else { return nil }
    return smallFile("/proc/\(pid)/stat").flatMap(StatEntry.init)
  }

  /// The fields of `/proc/PID/stat` (proc(5)) that are used here.
  struct StatEntry: Equatable {
    let program: String
    let hasEnded: Bool
    let startTime: UInt64

    init?(_ text: String) {
      // The second field is the program's name in parentheses; it may hold spaces and parentheses itself.
      guard let start = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), start < end else { return nil }
      let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
      guard fields.count > 19, let startTime = UInt64(fields[19]) else { return nil }
      program = String(text[text.index(after: start)..<end])
      hasEnded = ["Z", "X", "x"].contains(fields[0])
      self.startTime = startTime
    }
  }
}
