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

  /// Opens a file that can be read again and again: not a directory, a pipe or a device.
  ///
  /// - Throws: ``OrderFileError/notRegular(path:kind:)`` without waiting for a pipe's writer, or
  ///   ``OrderFileError/cannotRead(path:reason:)``.
  public convenience init(regularFile path: String) throws(OrderFileError) {
    if let kind = FileStamp(path: path)?.kind, kind != .regular { throw .notRegular(path: path, kind: kind.name) }
    try self.init(path: path)
    // Between the look and the opening another thing may have taken the name.
    let kind = try stamp().kind
    guard kind == .regular else { throw .notRegular(path: path, kind: kind.name) }
  }

  deinit {
    close(descriptor)
  }

  /// The size in bytes, or nil if the path is not a regular file.
  public var size: Int? {
    guard let stamp = try? stamp(), stamp.kind == .regular else { return nil }
    return stamp.size
  }

  /// The stamp of the open file, whatever has its path by now.
  ///
  /// - Throws: ``OrderFileError/cannotRead(path:reason:)``.
  public func stamp() throws(OrderFileError) -> FileStamp {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .cannotRead(path: path, reason: Self.reason(errno)) }
    return FileStamp(status)
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

extension FileStamp.Kind {
  fileprivate var name: String {
    switch self {
    case .regular: "a regular file"
    case .directory: "a directory"
    case .pipe: "a pipe"
    case .socket: "a socket"
    case .device: "a device"
    }
  }
}
