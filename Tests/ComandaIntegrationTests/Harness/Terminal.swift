import ComandaTestRun
import Foundation
import Glibc

/// A terminal that a program of the test writes to.
final class Terminal: Sendable {
  private let descriptor: CInt
  /// The path by which a program opens it.
  let path: String

  /// TIOCSPTLCK and TIOCGPTN, of ioctl_tty(2): Swift does not see macros with parameters.
  private static let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

  /// A terminal so many columns wide.
  init(columns: UInt16) throws {
    descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (lock, number): (CInt, CUnsignedInt) = (0, 0)
    guard descriptor >= 0, ioctl(descriptor, Self.setLock, &lock) == 0, ioctl(descriptor, Self.getNumber, &number) == 0
    else { throw HarnessError("no terminal: \(String(cString: strerror(errno)))") }
    path = "/dev/pts/\(number)"
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard ioctl(descriptor, UInt(TIOCSWINSZ), &size) == 0 else { throw HarnessError("a terminal has no size") }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit {
    close(descriptor)
  }

  /// Takes the lines that were written, up to what a terminal holds.
  func lines() -> [String] {
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = read(descriptor, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
    return String(decoding: text, as: UTF8.self).split(separator: "\r\n").map { String($0) }
  }
}
