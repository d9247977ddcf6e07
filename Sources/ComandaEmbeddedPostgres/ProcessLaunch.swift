import CLinux
import Glibc

/// A command to run with nothing inherited: no descriptors (the server's sockets least of all), no environment, no
/// terminal, no blocked signals.
///
/// The directory that it works on is its descriptor 3, and `/proc/self/fd/3` is the path to it. So PostgreSQL can use
/// a directory whose parents its account may not enter (root's home, `mktemp -d`), and stays recognisable.
struct ProcessLaunch: Sendable {
  static let directoryPath = "/proc/self/fd/3"

  /// The executable's absolute path, then its arguments.
  let command: [String]

  /// - Throws: `startFailed` when the executable cannot be run.
  func start(input: Descriptor, output: Descriptor, directory: Descriptor) throws -> ChildProcess {
    let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
    var pid: pid_t = 0
    let error = Self.withCStrings(command) { arguments in
      Self.withCStrings(environment) { environment in
        var launch = comanda_launch(
          executable: arguments[0], arguments: arguments, environment: environment,
          input: input.number, output: output.number, directory: directory.number)
        return comanda_launch_process(&launch, &pid)
      }
    }
    guard error == 0 else {
      throw EmbeddedPostgresError(.startFailed, "cannot run \(command.first ?? ""): \(systemMessage(error))")
    }
    return ChildProcess(pid: pid)
  }

  private static func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
      // The terminating nil makes the buffer non-empty, so that it has an address.
      guard let address = buffer.baseAddress else { preconditionFailure("a terminated list is never empty") }
      return body(address)
    }
  }
}

/// A process that this one started, and has to reap.
struct ChildProcess: Sendable {
  let pid: pid_t

  /// How it ended, or nil while it runs. Reaps it, so its number means nothing once this has answered.
  func ending() -> ProcessEnding? {
    var status: Int32 = 0
    while true {
      switch waitpid(pid, &status, WNOHANG) {
      case 0: return nil
      case pid: return ProcessEnding(waitStatus: status)
      default:
        if errno == EINTR { continue }
        return .unknown
      }
    }
  }

  /// Waits for the end. When the task is cancelled, the process is killed first; what it started is not.
  func wait(polling interval: Duration = .milliseconds(10)) async throws -> ProcessEnding {
    while true {
      if let ending = ending() { return ending }
      do {
        try await Task.sleep(for: interval)
      } catch {
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        throw error
      }
    }
  }
}

/// How a process ended.
enum ProcessEnding: Equatable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)
  /// It was not our child, so the system does not tell.
  case unknown

  init(waitStatus: Int32) {
    let signal = waitStatus & 0x7f
    self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .killed(signal: signal)
  }

  var description: String {
    switch self {
    case .exited(let code): "exit status \(code)"
    case .killed(let signal): "signal \(signal)"
    case .unknown: "unknown cause"
    }
  }
}
