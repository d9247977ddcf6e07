import ComandaProtos

/// A failed row as lines of text.
enum FailureText {
  /// `line 17: items[0].quantity OUT_OF_RANGE: …`, one for each problem.
  static func lines(of row: Comanda_V1_ImportRowResult) -> [String] {
    row.problems.map { problem in
      let line = problem.line > 0 ? problem.line : row.lines.first?.number ?? 0
      let place = line > 0 ? "line \(line)" : "row \(row.row)"
      let subject = [problem.field, problem.code].filter { !$0.isEmpty }.joined(separator: " ")
      return Printable("\(place): \(subject): \(problem.message)").description
    }
  }
}
