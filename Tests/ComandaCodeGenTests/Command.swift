import ComandaTestRun
import Foundation

/// A program run to its end.
struct Command {
  /// How it ended; 0 is success.
  let exitCode: Int32
  /// What it wrote to standard output.
  let output: Data
  /// What it wrote to standard error.
  let errors: String

  /// Runs a program that is found by PATH.
  init(_ name: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    (output, errors) = try withTemporaryFolder { folder in
      // A file rather than a second pipe: nobody has to empty it while the first is read.
      let errors = try folder.write("", to: "errors")
      process.standardError = try FileHandle(forWritingTo: errors)
      try process.run()
      let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      return (output, try String(contentsOf: errors, encoding: .utf8))
    }
    exitCode = process.terminationStatus
  }
}

/// Lends a new folder, and removes it.
func withTemporaryFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  try TestRun.withDirectory("codegen") { try body(URL(filePath: $0, directoryHint: .isDirectory)) }
}

extension URL {
  /// Writes a file below this folder, and the folders that lead to it.
  @discardableResult
  func write(_ text: String, to path: String) throws -> URL {
    let file = appending(path: path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }
}

/// Where things are.
enum Place {
  /// The checkout.
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  /// The schemas of Comanda.
  static let schemas = root.appending(path: "proto")
  /// The schemas of the golden cases.
  static let goldenSchemas = root.appending(path: "Tests/ComandaCodeGenTests/Golden/proto")
  /// What is generated from them.
  static let goldenSwift = root.appending(path: "Tests/ComandaCodeGenTests/Golden/swift")

  /// The folder of the plugins: the one that this test's own executable was built into.
  static func plugins() throws -> URL {
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(filePath: executable).deletingLastPathComponent()
  }
}
