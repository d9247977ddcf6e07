import FoundationEssentials
import Glibc

/// PostgreSQL's log. PostgreSQL holds it open for as long as it runs, and may outlive us, so it cannot be renamed away:
/// when it is full, it is copied and emptied (lines written in between are lost).
struct PostgresLog: Sendable {
  static let limit = 16 << 20

  let path: String

  func open() throws -> Descriptor {
    try Descriptor(opening: path, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, permissions: 0o600)
  }

  var size: Int { FileStatus(path: path)?.size ?? 0 }

  func bound(to limit: Int = PostgresLog.limit) {
    guard size > limit else { return }
    let older = path + ".1"
    try? FileManager.default.removeItem(atPath: older)
    try? FileManager.default.copyItem(atPath: path, toPath: older)
    truncate(path, 0)
  }

  /// The last lines written since the log had `offset` bytes: the words for an error message.
  func tail(since offset: Int, lines: Int = 6) -> String {
    guard let file = try? Descriptor(opening: path, flags: O_RDONLY | O_NOFOLLOW) else { return "" }
    lseek(file.number, off_t(max(offset, size - 8192)), SEEK_SET)
    let written = file.read(limit: 8192).split(separator: "\n")
    return written.suffix(lines).joined(separator: "\n")
  }
}
