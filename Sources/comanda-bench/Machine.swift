import ComandaTLS
import Foundation

/// What one side of a measurement ran on, what it was, and by which command: without all three a figure is worth
/// nothing.
struct Machine: Codable {
  let system: String
  let processor: String
  let cores: Int
  let tls: String
  let build: String
  /// The commit of the working copy that the program was built in; nil if it lies in none.
  let commit: String?
  let command: String

  /// This process.
  static let this = Machine()

  private init() {
    var name = utsname()
    uname(&name)
    system = "\(Self.text(&name.sysname)) \(Self.text(&name.release)) \(Self.text(&name.machine))"
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor = model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
    cores = ProcessInfo.processInfo.activeProcessorCount
    tls = TLSLibrary.version
    #if DEBUG
      build = "debug"
    #else
      build = "release"
    #endif
    commit = Self.commit()
    command = Self.command(CommandLine.arguments)
  }

  /// Where it ran and what it was, in a line.
  var description: String {
    "\(build) build of \(commit.map { "commit \($0)" } ?? "an unknown commit"), \(tls), "
      + "on \(system), \(cores) cores of \(processor)"
  }

  /// The command as a shell takes it, to be run again: the number of a process that is long gone would mislead.
  static func command(_ arguments: [String]) -> String {
    var words = ["comanda-bench"]
    for argument in arguments.dropFirst() {
      if words.last == "--server-pid" {
        words.append("$!")
      } else if argument.hasPrefix("--server-pid=") {
        words += ["--server-pid", "$!"]
      } else {
        words.append(quoted(argument))
      }
    }
    return words.joined(separator: " ")
  }

  private static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./:=,@%+".contains($0)) }
    return isPlain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }

  private static func text<Name>(_ name: inout Name) -> String {
    withUnsafeBytes(of: &name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  private static func commit() -> String? {
    guard let program = Bundle.main.executableURL?.resolvingSymlinksInPath() else { return nil }
    let (git, output) = (Process(), Pipe())
    git.executableURL = URL(filePath: "/usr/bin/env")
    git.arguments = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match="]
    git.currentDirectoryURL = program.deletingLastPathComponent()
    git.standardOutput = output
    git.standardError = FileHandle.nullDevice
    guard (try? git.run()) != nil else { return nil }
    let text = String(decoding: (try? output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
    git.waitUntilExit()
    let commit = text.trimmingCharacters(in: .whitespacesAndNewlines)
    return git.terminationStatus == 0 && !commit.isEmpty ? commit : nil
  }
}
