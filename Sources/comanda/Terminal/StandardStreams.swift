import Glibc

/// Where results go.
enum StandardOutput {
  static func write(_ text: String) {
    var text = text
    text.withUTF8 { write(UnsafeRawBufferPointer($0)) }
  }

  /// Writes all of it. A reader that has gone away (`comanda … | head`) ends the process as it ends any filter.
  static func write(_ bytes: UnsafeRawBufferPointer) {
    let failure = writeAll(bytes, to: STDOUT_FILENO)
    guard failure != 0 else { return }
    if failure == EPIPE {
      signal(SIGPIPE, SIG_DFL)
      raise(SIGPIPE)
    }
    StandardError.write("comanda: cannot write the result: \(String(cString: strerror(failure)))\n")
    exit(CommandStatus.failed.rawValue)
  }
}

/// Where everything else goes: progress, notes, errors.
enum StandardError {
  /// Writes it; when nobody can read it any more, that is no reason to stop.
  static func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = writeAll(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
  }

  /// Whether a person looks at it.
  static var isTerminal: Bool {
    isatty(STDERR_FILENO) == 1
  }

  /// The terminal's width in columns.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}

/// Writes to a descriptor; returns 0, or the error number of what failed.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> CInt {
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
    if count >= 0 {
      rest = rest.dropFirst(count)
    } else if errno != EINTR {
      return errno
    }
  }
  return 0
}
