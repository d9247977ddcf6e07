import Glibc

/// Where a command is to write a file: checked before the command begins, and not touched by that.
struct OutputDestination {
  /// What the path leads to.
  enum Target: Equatable {
    /// A regular file, there or not, which a new one with these permissions replaces. The path has no links.
    case file(path: String, mode: mode_t)
    /// A pipe or a device: it is written to as it is.
    case stream
    /// What standard output or error is already: they share its place.
    case descriptor(CInt)
  }

  /// A file that the same command reads.
  struct Input {
    /// What the command line calls it: `the file to import`.
    let name: String
    let path: String
  }

  /// Only its owner may read a new file: it can hold personal data.
  private static let newFileMode: mode_t = 0o600
  /// As many links as Linux follows.
  private static let linkLimit = 40

  /// The path as the user wrote it.
  let path: String
  let target: Target
  /// The path without links.
  private let place: String

  /// Looks where a path leads.
  /// - Parameters:
  ///   - option: names the path in messages: `--failures`.
  ///   - inputs: files that must not be written to.
  /// - Throws: ``CommandFailure`` when it cannot be written to, or is one of the inputs.
  init(_ path: String, option: String, besides inputs: [Input]) throws(CommandFailure) {
    self.path = path
    do throws(SystemError) {
      place = try Self.place(of: path)
      target = try Self.target(at: place)
    } catch {
      throw CommandFailure("\(option) \(path) cannot be written: \(error)")
    }
    for input in inputs where Self.isSame(place, input.path) {
      throw CommandFailure(
        "\(option) \(path) is \(input.name) itself, which it would overwrite; name another file", status: .usage)
    }
  }

  /// The path of the file that would be opened: all links followed, those that lead nowhere yet as well.
  private static func place(of path: String) throws(SystemError) -> String {
    var path = path
    for _ in 0..<linkLimit {
      if let found = canonical(path) { return found }
      // A descriptor's pipe under /proc is there and has no name.
      if status(of: path) != nil { return path }
      guard errno == ENOENT else { throw SystemError(errno) }
      let (directory, name) = split(path)
      guard !name.isEmpty else { throw SystemError(path.isEmpty ? ENOENT : EISDIR) }
      guard let parent = canonical(directory) else { throw SystemError(errno) }
      let file = (parent == "/" ? "" : parent) + "/" + name
      guard let link = destination(ofLink: file) else { return file }
      path = link.hasPrefix("/") ? link : (parent == "/" ? "" : parent) + "/" + link
    }
    throw SystemError(ELOOP)
  }

  private static func target(at place: String) throws(SystemError) -> Target {
    guard let found = status(of: place) else {
      guard access(split(place).directory, W_OK | X_OK) == 0 else { throw SystemError(errno) }
      return .file(path: place, mode: newFileMode)
    }
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
      var standard = stat()
      if fstat(descriptor, &standard) == 0, standard.st_dev == found.st_dev, standard.st_ino == found.st_ino {
        return .descriptor(descriptor)
      }
    }
    guard access(place, W_OK) == 0 else { throw SystemError(errno) }
    switch found.st_mode & S_IFMT {
    case S_IFDIR: throw SystemError(EISDIR)
    case S_IFREG where canonical(place) != nil:
      guard access(split(place).directory, W_OK | X_OK) == 0 else { throw SystemError(errno) }
      return .file(path: place, mode: found.st_mode & 0o777)
    default: return .stream
    }
  }

  /// Whether two paths lead to one file, by whatever links; or would, if it were there.
  private static func isSame(_ place: String, _ other: String) -> Bool {
    if let one = status(of: place), let two = status(of: other) {
      return one.st_dev == two.st_dev && one.st_ino == two.st_ino
    }
    return place == (try? Self.place(of: other))
  }

  private static func status(of path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  private static func canonical(_ path: String) -> String? {
    guard let found = realpath(path, nil) else { return nil }
    defer { free(found) }
    return String(cString: found)
  }

  private static func destination(ofLink path: String) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &buffer, buffer.count)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
  }

  /// The directory and the name in it of a path.
  static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = path[..<slash]
    return (directory.isEmpty ? "/" : String(directory), String(path[path.index(after: slash)...]))
  }
}

/// An error number of the operating system, in its words.
struct SystemError: Error, CustomStringConvertible {
  let code: CInt

  init(_ code: CInt) {
    self.code = code
  }

  var description: String { String(cString: strerror(code)) }
}
