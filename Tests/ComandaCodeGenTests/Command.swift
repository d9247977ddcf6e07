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
  init(_ name: String, _ arguments: [String], in folder: URL? = nil) throws {
    let scratch = try TemporaryFolder()
    let errorFile = scratch.url.appending(path: "errors")
    try Data().write(to: errorFile)

    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.currentDirectoryURL = folder
    let output = Pipe()
    process.standardOutput = output
    // A file rather than a second pipe: nobody has to empty it while the first is read.
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    self.output = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    exitCode = process.terminationStatus
    errors = try String(contentsOf: errorFile, encoding: .utf8)
  }
}

/// A folder that goes away with the value that holds it.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "comanda-codegen-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  /// Writes a file, and the folders that lead to it.
  func write(_ text: String, to path: String) throws {
    let file = url.appending(path: path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
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
