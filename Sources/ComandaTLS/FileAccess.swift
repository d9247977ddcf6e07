#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Why a file could not be used, in the operating system's words.
struct FileProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  static func latest() -> FileProblem {
    FileProblem(String(cString: strerror(errno)))
  }
}

/// Reads a whole small file.
///
/// - Parameter isSecret: Whether to refuse a file that every user of the machine may read.
func readFile(_ path: String, byteCountLimit: Int, isSecret: Bool = false) throws(FileProblem) -> [UInt8] {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .latest() }
  defer { close(descriptor) }
  if isSecret {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .latest() }
    guard status.st_mode & 0o007 == 0 else {
      throw FileProblem("every user of this machine may use it; right would be chmod 600")
    }
  }
  var content: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 64 << 10)
  while true {
    let count = read(descriptor, &piece, piece.count)
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw .latest() }
    if count == 0 { return content }
    content += piece.prefix(count)
    guard content.count <= byteCountLimit else {
      throw FileProblem("it is larger than \(byteCountLimit) bytes")
    }
  }
}

/// Replaces a file in one step: readers see the old content or the new, whole.
///
/// - Parameter mode: The permissions it has from its first moment on.
func replaceFile(_ path: String, with content: String, mode: mode_t) throws(FileProblem) {
  let temporary = "\(path).new"
  unlink(temporary)
  let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
  guard descriptor >= 0 else { throw .latest() }
  do throws(FileProblem) {
    defer { close(descriptor) }
    var rest = Array(content.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .latest() }
      rest = rest.dropFirst(count)
    }
    guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw .latest() }
  } catch {
    unlink(temporary)
    throw error
  }
  guard rename(temporary, path) == 0 else {
    let problem = FileProblem.latest()
    unlink(temporary)
    throw problem
  }
}
