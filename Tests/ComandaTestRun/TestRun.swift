import Foundation
import Glibc

/// What the tests of this process leave behind: files below one directory, and processes with its name in their
/// environment.
///
/// A shell watches over both. When the test process is gone, killed or not, a pipe ends, and the shell ends what is
/// still running, the private databases too, and removes the directory. What a test cleans up by itself is gone sooner.
public enum TestRun {
  /// Where everything is.
  public static let directory: Result<String, any Error> = Result {
    var template = Array("/tmp/comanda-run-XXXXXX".utf8CString)
    guard let path = mkdtemp(&template) else { throw TestRunError("no directory under /tmp: \(systemMessage())") }
    let directory = String(cString: path)
    try watch(over: directory)
    return directory
  }

  /// The variable by which a process of this run is known.
  public static let variable = "COMANDA_TEST_RUN"

  /// A new directory of the run, whose name begins like this.
  public static func makeDirectory(_ name: String) throws -> String {
    let path = try directory.get() + "/\(name)-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    return path
  }

  /// Lends a new directory of the run.
  public static func withDirectory<Value>(_ name: String, _ body: (String) throws -> Value) throws -> Value {
    let path = try makeDirectory(name)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// Lends a new directory of the run.
  public static func withDirectory<Value>(
    _ name: String, _ body: (String) async throws -> Value
  ) async throws -> Value {
    let path = try makeDirectory(name)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }

  private static func watch(over directory: String) throws {
    var pipe: [Int32] = [-1, -1]
    guard Glibc.pipe(&pipe) == 0 else { throw TestRunError("no pipe: \(systemMessage())") }
    defer { close(pipe[0]) }
    // The writing end stays open for as long as this process lives, and in no other; nobody writes to it.
    _ = fcntl(pipe[1], F_SETFD, FD_CLOEXEC)
    _ = try spawn(
      "setsid", ["sh", "-c", script, "sh", directory, variable], environment: ProcessInfo.processInfo.environment,
      input: pipe[0], output: "/dev/null", errors: "/dev/null")
  }

  private static let script = """
    root=$1 variable=$2
    cat >/dev/null
    ours() { grep -lzxF "$variable=$root" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3; }
    await_end_of() {
      tries=200
      while [ -n "$("$@")" ] && [ $tries -gt 0 ]; do tries=$((tries - 1)); sleep 0.1; done
    }
    kill -TERM $(ours) 2>/dev/null
    await_end_of ours
    kill -KILL $(ours) 2>/dev/null
    for file in "$root"/*/postgres/postmaster.pid; do
      [ -e "$file" ] || continue
      { read -r pid; read -r _; read -r _; read -r _; read -r socket; } <"$file"
      [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = postgres ] || continue
      kill -QUIT "$pid"
      await_end_of cat "/proc/$pid/comm" 2>/dev/null
      rmdir "$socket"
    done
    rm -rf "$root"
    """
}

/// A directory or a process that tests need cannot be made.
public struct TestRunError: Error, CustomStringConvertible {
  /// What, and why.
  public let description: String

  init(_ description: String) {
    self.description = description
  }
}

/// What the last system call that failed says.
func systemMessage(_ number: Int32 = errno) -> String {
  String(cString: strerror(number))
}
