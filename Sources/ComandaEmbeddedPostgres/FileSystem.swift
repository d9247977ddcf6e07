import Glibc

/// What identifies a file or directory, however many paths lead to it.
struct FileIdentity: Equatable, Sendable {
  let device: UInt
  let inode: UInt
}

/// The facts about a file that decisions here rest on.
struct FileStatus: Equatable, Sendable {
  enum Kind: Sendable { case directory, regular, socket, other }

  let identity: FileIdentity
  let kind: Kind
  let owner: uid_t
  let permissions: mode_t
  let size: Int

  /// Nil when nothing is there or it may not be looked at. A symbolic link is followed only where that is asked for.
  init?(path: String, followingLinks: Bool = false) {
    var status = stat()
    guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    self.init(status)
  }

  init(_ status: stat) {
    identity = FileIdentity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFDIR: .directory
      case S_IFREG: .regular
      case S_IFSOCK: .socket
      default: .other
      }
    owner = status.st_uid
    permissions = status.st_mode & 0o7777
    size = Int(status.st_size)
  }
}

/// The system's words for an error number.
func systemMessage(_ number: Int32) -> String {
  String(cString: strerror(number))
}

/// An open descriptor, closed when the last reference goes. It is numbered 10 or higher, so that handing it to a child
/// as descriptor 0 to 3 overwrites none of the others, and no child inherits it unasked.
final class Descriptor: Sendable {
  let number: Int32

  /// - Throws: `directoryUnusable`, naming the path.
  init(opening path: String, flags: Int32, permissions: mode_t = 0) throws {
    number = try Self.elevated(open(path, flags | O_CLOEXEC, permissions), "open \(path)")
  }

  private init(taking descriptor: Int32) throws {
    number = try Self.elevated(descriptor, "open a pipe")
  }

  deinit { close(number) }

  static func pipe() throws -> (reading: Descriptor, writing: Descriptor) {
    var ends: [Int32] = [-1, -1]
    guard Glibc.pipe(&ends) == 0 else {
      throw EmbeddedPostgresError(.startFailed, "cannot open a pipe: \(systemMessage(errno))")
    }
    return (try Descriptor(taking: ends[0]), try Descriptor(taking: ends[1]))
  }

  /// A descriptor that reads as the text. It has to be short: a pipe holds 64 KiB.
  static func reading(_ text: String) throws -> Descriptor {
    let pipe = try pipe()
    try pipe.writing.write(text)
    return pipe.reading
  }

  private static func elevated(_ descriptor: Int32, _ what: String) throws -> Int32 {
    guard descriptor >= 0 else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot \(what): \(systemMessage(errno))")
    }
    let elevated = fcntl(descriptor, F_DUPFD_CLOEXEC, 10)
    let error = errno
    close(descriptor)
    guard elevated >= 0 else {
      throw EmbeddedPostgresError(.directoryUnusable, "cannot \(what): \(systemMessage(error))")
    }
    return elevated
  }

  var status: FileStatus? {
    var status = stat()
    return fstat(number, &status) == 0 ? FileStatus(status) : nil
  }

  func write(_ text: String) throws {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else {
        throw EmbeddedPostgresError(.directoryUnusable, "cannot write a file: \(systemMessage(errno))")
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Everything up to the end of the file, or up to `limit` bytes. Bytes that are not UTF-8 are replaced.
  func read(limit: Int) -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while bytes.count < limit {
      let count = Glibc.read(number, &buffer, min(buffer.count, limit - bytes.count))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The text of a small file, or nil when it cannot be read. Symbolic links are not followed.
func smallFile(_ path: String, limit: Int = 65_536) -> String? {
  (try? Descriptor(opening: path, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK))?.read(limit: limit)
}
