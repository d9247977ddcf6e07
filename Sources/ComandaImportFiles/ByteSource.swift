#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Something that bytes are read from.
public protocol ByteSource {
  /// Reads bytes.
  ///
  /// - Returns: how many bytes were written to the beginning of `buffer`; 0 at the end.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// A file that is read from its beginning to its end.
public final class FileByteSource: ByteSource {
  /// The path that was opened.
  public let path: String
  private let descriptor: CInt

  /// Opens a file.
  ///
  /// - Throws: ``OrderFileError/cannotRead(path:reason:)``.
  public init(path: String) throws(OrderFileError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .cannotRead(path: path, reason: Self.reason(errno)) }
    #if os(Linux)
      posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    #endif
  }

  deinit {
    close(descriptor)
  }

  /// The size in bytes, or nil if the path is not a regular file.
  public var size: Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  /// Reads the next bytes.
  ///
  /// - Throws: ``OrderFileError/cannotRead(path:reason:)``.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(OrderFileError) -> Int {
    while true {
      #if canImport(Glibc)
        let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      #elseif canImport(Musl)
        let count = Musl.read(descriptor, buffer.baseAddress, buffer.count)
      #else
        let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
      #endif
      if count >= 0 { return count }
      let code = errno
      guard code == EINTR else { throw .cannotRead(path: path, reason: Self.reason(code)) }
    }
  }

  private static func reason(_ code: CInt) -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
