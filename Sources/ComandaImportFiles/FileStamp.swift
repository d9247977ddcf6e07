#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the file system says about a file at one moment: enough to tell that it is another file now, or was written to.
public struct FileStamp: Sendable, Hashable {
  /// What kind of thing has the path.
  enum Kind: Sendable {
    case regular, directory, pipe, socket, device
  }

  /// The size in bytes.
  public let size: Int
  let kind: Kind
  private let device: UInt64
  private let inode: UInt64
  private let modifiedSeconds: Int
  private let modifiedNanoseconds: Int

  init(_ status: stat) {
    size = Int(status.st_size)
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    #if canImport(Darwin)
      let modified = status.st_mtimespec
    #else
      let modified = status.st_mtim
    #endif
    modifiedSeconds = Int(modified.tv_sec)
    modifiedNanoseconds = Int(modified.tv_nsec)
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .directory
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      default: .device
      }
  }

  /// The stamp of what a path leads to now; nil when that is nothing.
  public init?(path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// What happened to a file since this stamp; nil when nothing that shows.
  public func change(to later: FileStamp) -> FileChange? {
    if device != later.device || inode != later.inode { return .replaced }
    if later.size > size { return .grew(from: size, to: later.size) }
    if later.size < size { return .shrank(from: size, to: later.size) }
    return self == later ? nil : .rewritten
  }
}

/// How a file changed while somebody relied on it.
public enum FileChange: Sendable, Hashable, CustomStringConvertible {
  /// Another file has its name.
  case replaced
  /// Bytes were added.
  case grew(from: Int, to: Int)
  /// Bytes were taken away.
  case shrank(from: Int, to: Int)
  /// It has the same size, and other bytes.
  case rewritten
  /// Nothing has its name any more.
  case removed

  /// A predicate to "the file".
  public var description: String {
    switch self {
    case .replaced: "was replaced by another file"
    case .grew(let before, let after): "grew from \(before) to \(after) bytes"
    case .shrank(let before, let after): "shrank from \(before) to \(after) bytes"
    case .rewritten: "was written to"
    case .removed: "was removed or renamed"
    }
  }
}
