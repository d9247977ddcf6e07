import ArgumentParser
import ComandaClient
import ComandaProtos

/// What to do with failed rows.
struct FailureOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How many problems of failed rows to print.", valueName: "n"))
  var maxFailures = 20

  @Option(
    help: ArgumentHelp(
      """
      Write all failed rows to this CSV file, each with its original line. It is replaced as a whole when all of them \
      are written.
      """, valueName: "file"))
  var failures: String?

  func validate() throws {
    guard maxFailures >= 0 else { throw ValidationError("--max-failures is 0 or more") }
    if failures == "" { throw ValidationError("--failures is the path of a file, such as failed.csv") }
  }

  /// Where to write them; nil when no file is wanted. Nothing is opened yet.
  func destination(besides inputs: [OutputDestination.Input]) throws(CommandFailure) -> OutputDestination? {
    guard let failures else { return nil }
    return try OutputDestination(failures, option: "--failures", besides: inputs)
  }

  /// Prints the first failed rows of an import and writes all of them to the file.
  /// - Throws: ``CommandFailure``, which says how to get the file later.
  func report(
    on importID: String, failedRows: Int64, from client: ComandaClient, to destination: OutputDestination?,
    connection: ConnectionOptions, print: @escaping @Sendable (String) -> Void
  ) async throws {
    do {
      let options = self
      try await untilInterrupted {
        try await options.write(importID, failedRows, from: client, to: destination, print: print)
      }
    } catch {
      var failure: CommandFailure
      if let interruption = error as? Interruption {
        failure = CommandFailure("interrupted while the failed rows were listed", status: interruption.status)
      } else {
        guard let known = CommandFailure(error) else { throw error }
        failure = known
      }
      if let destination { failure.hints.append("\(destination.path) was not written; get the failed rows with:") }
      failure.hints.append(ResumeCommand.getting(importID, failures: destination?.path, connection))
      throw failure
    }
  }

  private func write(
    _ importID: String, _ failedRows: Int64, from client: ComandaClient, to destination: OutputDestination?,
    print: @Sendable (String) -> Void
  ) async throws {
    var file = try destination.map { try FailureFile($0) }
    guard failedRows > 0 else {
      try file?.commit()
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
    try file?.commit()
    // Both are positive: the difference of two counts has room.
    if printedRows < failedRows, maxFailures > 0 {
      let rest = NumberText.grouped(failedRows - printedRows)
      print("and \(rest) more failed" + (file == nil ? "; --failures FILE writes all of them" : ""))
    }
  }
}
