import Glibc

/// What `postmaster.pid` in the data directory says about the running PostgreSQL
/// (PostgreSQL's src/include/utils/pidfile.h: one fact a line).
struct PostmasterFile: Equatable, Sendable {
  enum State: Equatable, Sendable { case starting, ready, stopping }

  let pid: pid_t
  /// Where its socket is; empty until it has one.
  let socketDirectory: String
  let state: State

  /// Nil when the data directory has none, or it tells nothing.
  init?(inData directory: String) {
    guard let text = smallFile(directory + "/postmaster.pid") else { return nil }
    self.init(text)
  }

  /// Nil when the first line is no process number, as in a file that is just being written.
  init?(_ text: String) {
    // Spaces pad the state, which is rewritten in place, and nothing here holds any but a folder's name.
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      String(line.prefix(upTo: line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex))
    }
    // A negative number is a single-user PostgreSQL.
    guard let first = lines.first, let pid = pid_t(first), pid > 0 else { return nil }
    self.pid = pid
    socketDirectory = lines.count > 4 ? lines[4] : ""
    state =
      switch lines.count > 7 ? lines[7] : "" {
      case "ready", "standby": .ready
      case "stopping": .stopping
      default: .starting
      }
  }
}
