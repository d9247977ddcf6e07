import ComandaTestRun
import Foundation
import Glibc
import Synchronization

/// A program that runs beside the test. It is killed when the last reference to it goes.
final class ChildProcess: Sendable {
  /// How a process ended.
  enum End: Hashable {
    case exit(Int32)
    case signal(Int32)
  }

  /// Its process number.
  let pid: pid_t
  private let name: String
  private let outputFile: String
  private let errorFile: String
  private let end = Mutex<End?>(nil)

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - program: a path, or a name that PATH leads to.
  ///   - environment: added to this process's own.
  init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    name = program.split(separator: "/").last.map(String.init) ?? program
    let directory = try TestRun.makeDirectory(name)
    outputFile = directory + "/stdout"
    errorFile = directory + "/stderr"
    let own = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("COMANDA_") }
    let all = own.merging(environment) { $1 }.merging([TestRun.variable: try TestRun.directory.get()]) { $1 }
    pid = try spawn(program, arguments, environment: all, output: outputFile, errors: errorFile)
  }

  deinit {
    if ended == nil {
      kill(SIGKILL)
      var status: Int32 = 0
      waitpid(pid, &status, 0)
    }
  }

  /// How it ended; nil while it runs.
  var ended: End? {
    end.withLock { end in
      if end == nil {
        var status: Int32 = 0
        if waitpid(pid, &status, WNOHANG) == pid {
          let signal = status & 0x7f
          end = signal == 0 ? .exit((status >> 8) & 0xff) : .signal(signal)
        }
      }
      return end
    }
  }

  /// Sends it a signal, unless it has ended: its number may be somebody else's by then.
  func kill(_ signal: Int32) {
    if ended == nil { Glibc.kill(pid, signal) }
  }

  /// Waits for its end.
  func awaitEnd(within limit: Duration = .seconds(120)) async throws -> End {
    try await eventually("\(name) ends", within: limit, explain: { self.transcript }) { self.ended }
  }

  /// What it has written to standard output so far.
  var output: String { text(outputFile) }

  /// What it has written to standard error so far.
  var errors: String { text(errorFile) }

  /// The end of what it wrote, for failures.
  var transcript: String {
    "\(name) (process \(pid)) wrote to stdout:\n\(output.suffix(2_000))\nand to stderr:\n\(errors.suffix(4_000))"
  }

  private func text(_ file: String) -> String {
    String(decoding: FileManager.default.contents(atPath: file) ?? Data(), as: UTF8.self)
  }
}

/// Where the programs are: beside this test's own executable.
enum Program {
  static func path(_ name: String) throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(filePath: own).deletingLastPathComponent().appending(path: name).path
  }
}

/// Runs a program to its end.
func run(
  _ program: String, _ arguments: [String], environment: [String: String] = [:], within limit: Duration = .seconds(120)
) async throws -> (end: ChildProcess.End, process: ChildProcess) {
  let process = try ChildProcess(program, arguments, environment: environment)
  return (try await process.awaitEnd(within: limit), process)
}
