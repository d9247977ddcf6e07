import ArgumentParser
import Foundation

/// What a figure was measured on, and by which command: without both it is worth nothing.
struct Machine: Encodable {
  let system: String
  let processor: String
  let cores: Int
  let command: String

  init() {
    var name = utsname()
    uname(&name)
    system = "\(Self.text(&name.sysname)) \(Self.text(&name.release)) \(Self.text(&name.machine))"
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
    processor = model?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown processor"
    cores = ProcessInfo.processInfo.activeProcessorCount
    command = (["comanda-bench"] + CommandLine.arguments.dropFirst()).joined(separator: " ")
  }

  private static func text<Name>(_ name: inout Name) -> String {
    withUnsafeBytes(of: &name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

/// The flags that every measurement has.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON.")
  var json = false

  /// Prints a result with the machine it was measured on: as one line of JSON, or as this sentence.
  func report(_ result: some Encodable, _ sentence: String) throws {
    let machine = Machine()
    guard json else {
      print(sentence)
      print("  on \(machine.system), \(machine.cores) cores of \(machine.processor)")
      print("  by \(machine.command)")
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(Report(result: result, machine: machine)), as: UTF8.self))
  }

  private struct Report<Result: Encodable>: Encodable {
    let result: Result
    let machine: Machine
  }
}
