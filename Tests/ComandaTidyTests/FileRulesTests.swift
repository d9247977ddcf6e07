import Testing

@Suite("Rules about files")
struct FileRulesTests {
  @Test(
    "a name that says nothing is found",
    arguments: [
      "Sources/ComandaStore/Utils/Rows.swift", "Sources/ComandaStore/StringUtils.swift", "Sources/Common/A.swift",
      "Sources/ComandaRPC/CallManager.swift", "Sources/ComandaRPC/Order+Helpers.swift",
    ])
  func emptyNames(path: String) {
    #expect(FileRules.emptyName(in: path) != nil)
  }

  @Test(
    "a name that only contains such a word is not",
    arguments: [
      "Sources/ComandaRPC/ManagerialCalls.swift", "Sources/ComandaRPC/Commons.swift", "Sources/Uncommon/A.swift",
      "Sources/ComandaStore/Rows.swift",
    ])
  func names(path: String) {
    #expect(FileRules.emptyName(in: path) == nil)
  }

  @Test("a long file needs an exception, and a short one has none")
  func lengths() {
    #expect(FileRules.lengthProblem(of: "A.swift", lines: 600, exceptions: [:]) == nil)
    #expect(FileRules.lengthProblem(of: "A.swift", lines: 601, exceptions: [:]) != nil)
    #expect(FileRules.lengthProblem(of: "A.swift", lines: 601, exceptions: ["A.swift": "a table"]) == nil)
    #expect(FileRules.lengthProblem(of: "A.swift", lines: 600, exceptions: ["A.swift": "a table"]) != nil)
  }
}
