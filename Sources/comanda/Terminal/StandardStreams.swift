import Glibc

/// Where results go.
enum StandardOutput {
  /// The terminal's width in columns; nil when the result goes elsewhere, where nothing has to fit.
  static var width: Int? {
    isatty(STDOUT_FILENO) == 1 ? TerminalWidth.columns(of: STDOUT_FILENO) : nil
  }

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
    TerminalWidth.columns(of: STDERR_FILENO)
  }
}

/// How wide a terminal is.
enum TerminalWidth {
  /// That of the first terminals, for those that do not say.
  private static let standard = 80

  /// What the terminal says; else what the environment says in `COLUMNS`.
  static func columns(of descriptor: CInt) -> Int {
    var size = winsize()
    if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    guard let text = getenv("COLUMNS"), let columns = UInt16(String(cString: text)), columns > 0 else {
      return standard
    }
    return Int(columns)
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
