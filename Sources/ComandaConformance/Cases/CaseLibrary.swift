import Foundation

/// The cases of a folder of JSON files.
public struct CaseLibrary: Sendable {
  /// All of them, in the order of the files' names and of the files.
  public let cases: [ConformanceCase]

  /// Reads every `*.json` of a folder.
  /// - Throws: an error that says which file or case is wrong, and how.
  public init(directory: URL) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".json") }
    guard !names.isEmpty else { throw CaseError("\(directory.path) has no case files (*.json)") }
    var cases: [ConformanceCase] = []
    for name in names.sorted() {
      do {
        cases += try Self.cases(of: Data(contentsOf: directory.appending(path: name)))
      } catch let error as CaseError {
        throw error.within(name)
      } catch let error as DecodingError {
        throw CaseError("\(name): it is not valid JSON: \(error)")
      }
    }
    if let double = Dictionary(grouping: cases, by: \.id).first(where: { $0.value.count > 1 }) {
      throw CaseError("there are \(double.value.count) cases with the id \(double.key)")
    }
    self.cases = cases
  }

  private static func cases(of file: Data) throws -> [ConformanceCase] {
    var fields = try JSONFields(JSONDecoder().decode(JSONValue.self, from: file), of: "the file")
    _ = try fields.requireText("about")
    let name = try fields.requireText("suite")
    guard let suite = ConformanceCase.Suite(rawValue: name) else { throw CaseError("there is no suite '\(name)'") }
    let cases = try fields.array("cases") ?? []
    try fields.end()
    return try cases.map { try ConformanceCase($0.repetitionsWrittenOut, suite: suite) }
  }

  /// The cases of a suite whose ids match a pattern: contain it, where `*` stands for anything.
  public func cases(of suite: ConformanceCase.Suite, matching pattern: String? = nil) -> [ConformanceCase] {
    cases.filter { $0.suite == suite && Self.matches($0.id, pattern ?? "") }
  }

  private static func matches(_ id: String, _ pattern: String) -> Bool {
    var rest = id[...]
    for part in pattern.split(separator: "*") {
      guard let range = rest.firstRange(of: part) else { return false }
      rest = rest[range.upperBound...]
    }
    return true
  }

  /// The folder of the cases: `proto/conformance` of a checkout that holds the program or the working directory, or
  /// `share/comanda/conformance` beside the `bin` of an installed program.
  public static func standardDirectory(program: URL) throws -> URL {
    let working = URL(filePath: FileManager.default.currentDirectoryPath)
    var candidates = [
      program.deletingLastPathComponent().deletingLastPathComponent().appending(path: "share/comanda/conformance")
    ]
    for start in [program.deletingLastPathComponent(), working] {
      var folder = start.standardizedFileURL
      while folder.path != "/" {
        candidates.append(folder.appending(path: "proto/conformance"))
        folder = folder.deletingLastPathComponent()
      }
    }
    guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw CaseError(
        "the cases are neither beside the program nor in a folder proto/conformance above it; name them with --cases")
    }
    return found
  }
}
