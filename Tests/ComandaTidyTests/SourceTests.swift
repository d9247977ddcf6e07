import Testing

@Suite("The sources")
struct SourceTests {
  @Test("nothing that a peer, a user or the database says can end the process", arguments: SourceTree.guardedFiles)
  func traps(path: String) throws {
    let findings = TrapRules.findings(in: try SourceTree.text(of: path))
    #expect(findings.isEmpty, "\(path): \(findings.map(\.description).joined(separator: "; "))")
  }

  @Test("each guarded target is there", arguments: SourceTree.guarded)
  func targets(name: String) {
    #expect(SourceTree.guardedFiles.contains { $0.hasPrefix("Sources/\(name)/") })
  }

  @Test("files and folders are named after what is in them")
  func names() {
    #expect(SourceTree.swiftFiles.count > 100)
    for path in SourceTree.swiftFiles {
      #expect(FileRules.emptyName(in: path) == nil, "\(path) is named after nothing")
    }
  }

  @Test("files are short, but for those that are one thing")
  func lengths() throws {
    #expect(Set(FileRules.exceptions.keys).isSubset(of: SourceTree.swiftFiles))
    for path in SourceTree.swiftFiles {
      let lines = try SourceTree.text(of: path).utf8.count { $0 == UInt8(ascii: "\n") }
      let problem = FileRules.lengthProblem(of: path, lines: lines)
      #expect(problem == nil, "\(problem ?? "")")
    }
  }
}
