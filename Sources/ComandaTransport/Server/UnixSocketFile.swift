import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The file of a Unix socket that this process has bound.
///
/// A file that a killed server left is taken over; one at which somebody listens, or that is no socket, never is. That
/// nobody listens is known only by asking, so looking and binding happen under a lock of the file's directory: two
/// servers that start at once do not take each other's file for a leftover.
struct UnixSocketFile: Sendable {
  private static let lockAttempts = 500
  private static let lockPause = Duration.milliseconds(10)

  private let path: String
  private let device: dev_t
  private let inode: ino_t

  /// Binds a new socket, and listens at it; the caller closes the socket.
  /// - Throws: `ListenProblem` when something is in the way.
  static func claim(_ path: String) async throws -> (socket: Int32, file: UnixSocketFile) {
    guard let address = try? SocketAddress(unixDomainSocketPath: path) else {
      throw ListenProblem("a Unix socket's path has at most 107 bytes")
    }
    let directory = try await lockDirectory(of: path)
    defer { close(directory) }
    try removeLeftover(at: path, address)

    let socket = try makeSocket()
    var status = stat()
    // It listens before the lock is given back: until then it looks like a leftover.
    guard address.withSockAddr({ bind(socket, $0, socklen_t($1)) }) == 0, listen(socket, 1) == 0,
      lstat(path, &status) == 0
    else {
      let problem = ListenProblem.latest()
      close(socket)
      throw problem
    }
    return (socket, UnixSocketFile(path: path, device: status.st_dev, inode: status.st_ino))
  }

  /// Lets so many connections wait to be accepted. NIO sets a number of its own when it takes over a socket.
  static func setBacklog(_ count: Int32, of socket: Int32) throws {
    guard listen(socket, count) == 0 else { throw ListenProblem.latest() }
  }

  /// Removes the file, unless another is at its path by now.
  ///
  /// To be called before the socket is closed: until then it holds on to its inode, whose number no other file can have.
  func remove() {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
    unlink(path)
  }

  private static func removeLeftover(at path: String, _ address: SocketAddress) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw ListenProblem.latest()
    }
    guard status.st_mode & S_IFMT == S_IFSOCK else {
      throw ListenProblem("there is a file that is no socket; remove it, or listen elsewhere")
    }
    let socket = try makeSocket()
    defer { close(socket) }
    if address.withSockAddr({ connect(socket, $0, socklen_t($1)) }) == 0 { throw ListenProblem.inUse }
    switch errno {
    case ECONNREFUSED:
      guard unlink(path) == 0 || errno == ENOENT else { throw ListenProblem.latest() }
    case ENOENT: return
    // Too many wait to be accepted, or it is a socket of datagrams: somebody has it.
    case EAGAIN, EPROTOTYPE: throw ListenProblem.inUse
    default: throw ListenProblem.latest()
    }
  }

  /// Closing the directory gives the lock back.
  private static func lockDirectory(of path: String) async throws -> Int32 {
    let end = path.lastIndex(of: "/")
    let name = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { throw ListenProblem.latest() }
    do {
      for _ in 0..<lockAttempts {
        if flock(directory, LOCK_EX | LOCK_NB) == 0 { return directory }
        guard errno == EWOULDBLOCK || errno == EINTR else { throw ListenProblem.latest() }
        try await Task.sleep(for: lockPause)
      }
      throw ListenProblem("another process has locked \(name) for \(lockPause * lockAttempts)")
    } catch {
      close(directory)
      throw error
    }
  }

  private static func makeSocket() throws -> Int32 {
    let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let socket = socket(AF_UNIX, flags, 0)
    guard socket >= 0 else { throw ListenProblem.latest() }
    return socket
  }
}

/// Why a socket cannot listen.
struct ListenProblem: Error, CustomStringConvertible {
  static let inUse = ListenProblem("another process listens there")

  let description: String

  init(_ description: String) {
    self.description = description
  }

  /// What the system call that just failed says.
  static func latest() -> ListenProblem {
    ListenProblem(String(cString: strerror(errno)).firstLetterLowercased)
  }
}
