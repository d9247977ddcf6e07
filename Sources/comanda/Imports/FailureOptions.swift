import ArgumentParser
import ComandaClient
import ComandaProtos

/// What to do with failed rows.
struct FailureOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How many problems of failed rows to print.", valueName: "n"))
  var maxFailures = 20

  @Option(
    help: ArgumentHelp("Write all failed rows to this CSV file, each with its original line.", valueName: "file"))
  var failures: String?

  func validate() throws {
    guard maxFailures >= 0 else { throw ValidationError("--max-failures is 0 or more") }
  }

  /// The file to write, created; nil when none is wanted.
  func file() throws -> FailureFile? {
    try failures.map { try FailureFile(path: $0) }
  }

  /// Prints the first failed rows of an import and writes all of them to the file.
  func report(
    on importID: String, failedRows: Int64, from client: ComandaClient, to file: FailureFile?,
    print: (String) -> Void
  ) async throws {
    guard failedRows > 0 else {
      try file?.flush()
      return
    }
    var printed = 0
    var printedRows: Int64 = 0
    let pageSize = file == nil ? max(maxFailures, 1) : 1000
    for try await row in FailedRows(of: importID, from: client.imports, pageSize: pageSize) {
      if printed < maxFailures {
        let lines = FailureText.lines(of: row).prefix(maxFailures - printed)
        for line in lines { print(line) }
        printed += lines.count
        printedRows += 1
      }
      try file?.append(row)
      if file == nil, printed >= maxFailures { break }
    }
    try file?.flush()
    if printedRows < failedRows, maxFailures > 0 {
      let rest = NumberText.grouped(failedRows - printedRows)
      print("and \(rest) more failed" + (file == nil ? "; --failures FILE writes all of them" : ""))
    }
  }
}
