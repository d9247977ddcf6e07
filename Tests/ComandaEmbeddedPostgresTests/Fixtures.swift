import ComandaTestRun
import Foundation
import Logging
import Testing

@testable import ComandaEmbeddedPostgres

/// A directory of one test, gone when the test is. The directory above it is closed to every other account, as
/// `mktemp -d` makes it.
final class TestDirectory: Sendable {
  let path: String

  init() throws {
    path = try TestRun.makeDirectory("test")
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// A directory with data in it. `initdb` takes seconds, so it ran once and this is a copy.
  static func withData() async throws -> TestDirectory {
    let template = try await template.value
    let directory = try TestDirectory()
    try run("/bin/cp", ["-a", template.path + "/postgres", directory.path])
    return directory
  }

  private static let template = Task {
    let directory = try TestDirectory()
    let postgres = EmbeddedPostgres(directory: directory.path, logger: .silent)
    _ = try await postgres.start()
    await postgres.stop()
    return directory
  }

  var layout: ClusterLayout { ClusterLayout(root: path) }

  /// Every living process of PostgreSQL that works in this directory's data.
  var processes: [ProcessIdentity] {
    FileStatus(path: layout.data).map { ProcessTable.postgresProcesses(in: $0.identity) } ?? []
  }

  var postmaster: ProcessIdentity? {
    PostmasterFile(inData: layout.data).flatMap { ProcessTable.process($0.pid) }
  }
}

extension Logger {
  static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

@discardableResult
func run(_ executable: String, _ arguments: [String]) throws -> String {
  let process = Process()
  process.executableURL = URL(filePath: executable)
  process.arguments = arguments
  let output = Pipe()
  process.standardOutput = output
  process.standardError = output
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw CommandFailed(command: executable, output: text) }
  return text.trimmingCharacters(in: .whitespacesAndNewlines)
}

struct CommandFailed: Error {
  let command: String
  let output: String
}

private let psql = Result {
  try PostgresBinaries.find(named: nil, searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "", cluster: nil)
    .directory + "/psql"
}

/// The answer of a real client to one statement.
func query(_ url: String, _ statement: String) throws -> String {
  try run(psql.get(), ["-XAtq", url, "-c", statement])
}

/// A real client that is busy with one statement.
func session(_ url: String, _ statement: String) throws -> Process {
  let process = Process()
  process.executableURL = URL(filePath: try psql.get())
  process.arguments = ["-Xq", url, "-c", statement]
  process.standardOutput = FileHandle.nullDevice
  process.standardError = FileHandle.nullDevice
  try process.run()
  return process
}

/// Waits until the condition holds; the machine may be slow, so the limit is generous.
func eventually(_ what: Comment, _ condition: () throws -> Bool) async throws {
  let limit = Duration.seconds(90)
  let end = ContinuousClock.now + limit
  repeat {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(20))
  } while ContinuousClock.now < end
  Issue.record("it did not happen within \(limit): \(what)")
}

/// A process that runs a private PostgreSQL as a server does.
final class Owner {
  private let process = Process()
  private let output = Pipe()

  init(_ directory: TestDirectory) throws {
    let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    process.executableURL = products.appending(path: "embedded-postgres-owner")
    process.arguments = [directory.path]
    process.environment = try ProcessInfo.processInfo.environment
      .merging([TestRun.variable: TestRun.directory.get()]) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  /// What it says first: where the database is, or why there is none.
  func firstWords() -> String {
    String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func kill() {
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  deinit { kill() }
}
