import CLinux
import Glibc

/// A file that takes its place complete or not at all: it is written beside, and replaces the old one when all of it is
/// on the disk.
///
/// Until then it has no name where the file system allows that, so that nothing is left of it however the process ends.
final class OutputFile {
  private enum Medium {
    /// A file without a name.
    case nameless
    /// A file with a name that nobody guesses, where there are none without.
    case named(String)
    /// A pipe, a device, or a file that standard output goes to: there is nothing to replace.
    case stream
  }

  private let destination: OutputDestination
  private let descriptor: CInt
  private let medium: Medium
  private var isDone = false

  /// Begins a file.
  /// - Parameter allowsNameless: false to do as file systems want that have no files without a name.
  init(_ destination: OutputDestination, allowsNameless: Bool = true) throws(SystemError) {
    self.destination = destination
    switch destination.target {
    case .descriptor(let number):
      descriptor = try Self.checked(fcntl(number, F_DUPFD_CLOEXEC, 0))
      medium = .stream
    case .stream:
      // A pipe that nobody reads is an error rather than a wait; what is written later may wait for its reader.
      descriptor = try Self.checked(open(destination.path, O_WRONLY | O_CLOEXEC | O_NONBLOCK))
      _ = fcntl(descriptor, F_SETFL, O_WRONLY)
      medium = .stream
    case .file(let path, _):
      let nameless = allowsNameless ? comanda_create_nameless(OutputDestination.split(path).directory, 0o600) : -1
      if nameless >= 0 {
        descriptor = nameless
        medium = .nameless
      } else {
        let name = Self.unusedName(beside: path)
        descriptor = try Self.checked(open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600))
        medium = .named(name)
      }
    }
  }

  deinit {
    close(descriptor)
    if case .named(let name) = medium, !isDone { unlink(name) }
  }

  /// Adds bytes.
  func write(_ bytes: [UInt8]) throws(SystemError) {
    let failure = bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
    guard failure == 0 else { throw SystemError(failure) }
  }

  /// Says that all is written: the file takes its place.
  func commit() throws(SystemError) {
    guard case .file(let path, let mode) = destination.target else { return }
    _ = try Self.checked(fchmod(descriptor, mode))
    _ = try Self.checked(fsync(descriptor))
    switch medium {
    case .stream: return
    case .named(let name):
      _ = try Self.checked(rename(name, path))
    case .nameless:
      // A link replaces nothing, so the file gets a name of its own for the moment before it is renamed.
      let name = Self.unusedName(beside: path)
      _ = try Self.checked(linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW))
      guard rename(name, path) == 0 else {
        let failure = errno
        unlink(name)
        throw SystemError(failure)
      }
    }
    isDone = true
    try Self.syncDirectory(of: path)
  }

  /// Has the disk remember the new name too.
  private static func syncDirectory(of path: String) throws(SystemError) {
    let directory = try checked(open(OutputDestination.split(path).directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
    defer { close(directory) }
    // Some file systems have no such thing, and then there is nothing to do.
    guard fsync(directory) == 0 || errno == EINVAL else { throw SystemError(errno) }
  }

  /// A hidden name in the same directory, and so in the same file system.
  private static func unusedName(beside path: String) -> String {
    let random = String(UInt64.random(in: .min ... .max), radix: 36)
    return OutputDestination.split(path).directory + "/.comanda-" + random
  }

  private static func checked(_ result: CInt) throws(SystemError) -> CInt {
    guard result >= 0 else { throw SystemError(errno) }
    return result
  }
}
