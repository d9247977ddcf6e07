import Glibc

/// Where things are under the directory that the operator named.
struct ClusterLayout: Equatable, Sendable {
  /// The directory, absolute, its links resolved.
  let root: String

  /// PostgreSQL's data, complete: it gets this name only when it is.
  var data: String { root + "/postgres" }
  /// Data in the making. What a previous attempt left there is worthless.
  var unfinishedData: String { root + "/postgres.new" }
  /// PostgreSQL's own log, and the older part of it in `postgres.log.1`.
  var log: String { root + "/postgres.log" }
  /// Locked by the server that uses the directory; holds its process number.
  var lock: String { root + "/postgres.lock" }

  /// Creates the directory, readable to nobody else, if it is missing.
  init(creating directory: String) throws {
    guard Self.makeDirectory(directory) else {
      throw EmbeddedPostgresError(
        .directoryUnusable, "cannot create the directory \(directory): \(systemMessage(errno))")
    }
    guard let layout = ClusterLayout(existing: directory) else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot use the directory \(directory): \(systemMessage(errno))")
    }
    self = layout
  }

  /// Nil when there is no such directory.
  init?(existing directory: String) {
    guard let real = realpath(directory, nil) else { return nil }
    defer { free(real) }
    root = String(cString: real)
  }

  /// Makes the directory, and those above it that are missing. False, and `errno` tells why, when that is not possible.
  private static func makeDirectory(_ path: String) -> Bool {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return true }
    guard errno == ENOENT, let slash = path.dropLast().lastIndex(of: "/"), slash != path.startIndex else {
      return false
    }
    return makeDirectory(String(path[..<slash])) && mkdir(path, 0o700) == 0
  }

  init(root: String) {
    self.root = root
  }

  /// The major version of the PostgreSQL that made the data, or nil when there is none yet.
  func existingMajor() throws -> Int? {
    guard let status = FileStatus(path: data) else { return nil }
    guard status.kind == .directory, let version = smallFile(data + "/PG_VERSION", limit: 16),
      let major = Int(version.prefix { $0.isASCII && $0.isNumber })
    else {
      throw EmbeddedPostgresError(
        .directoryUnusable,
        "\(data) exists, but is no PostgreSQL data directory: move it away, or use another directory")
    }
    return major
  }
}

/// Keeps a second server off the directory. The kernel releases it when this process ends, however it ends.
final class DirectoryLock: Sendable {
  private let file: Descriptor

  init(_ layout: ClusterLayout) throws {
    file = try Descriptor(opening: layout.lock, flags: O_RDWR | O_CREAT | O_NOFOLLOW, permissions: 0o600)
    guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
      let holder = file.read(limit: 32).prefix { $0.isASCII && $0.isNumber }
      throw EmbeddedPostgresError(
        .directoryInUse,
        "\(layout.root) is in use by another server (process \(holder.isEmpty ? "unknown" : holder)): "
          + "stop that one, or use another directory")
    }
    guard ftruncate(file.number, 0) == 0 else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot write \(layout.lock): \(systemMessage(errno))")
    }
    try file.write("\(getpid())\n")
  }
}
