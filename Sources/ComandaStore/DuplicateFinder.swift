import ComandaDomain
import ComandaPostgres

/// Decides which rows of an import repeat an earlier one: the lowest row with an external id holds it, whatever became
/// of that row. A later one with the same content is a duplicate, one with another content fails.
struct DuplicateFinder {
  private var winners: [ByteKey: Winner] = [:]

  /// A row that holds an external id.
  struct Winner {
    let externalID: String
    let row: Int64
    let line: Int64?
    /// Nil when the row failed validation: nothing is the same as it.
    let fingerprint: SHA256Digest?
  }

  /// Starts with the rows that are staged already, in any order.
  init(earlier: [Winner]) {
    for winner in earlier {
      let key = ByteKey(text: winner.externalID)
      if let known = winners[key], known.row < winner.row { continue }
      winners[key] = winner
    }
  }

  /// What becomes of the next row.
  enum Decision: Equatable {
    /// It is the first with its id, or has none.
    case first
    /// It repeats this row.
    case duplicate(of: Int64)
    /// It contradicts an earlier row.
    case contradicts(RowProblem)
  }

  mutating func decide(row: Int64, line: Int64?, externalID: String, fingerprint: SHA256Digest?) -> Decision {
    guard !externalID.isEmpty else { return .first }
    let key = ByteKey(text: externalID)
    guard let winner = winners[key] else {
      winners[key] = Winner(externalID: externalID, row: row, line: line, fingerprint: fingerprint)
      return .first
    }
    if let fingerprint, fingerprint == winner.fingerprint { return .duplicate(of: winner.row) }
    let place = winner.line.map { "line \($0)" } ?? "row \(winner.row)"
    return .contradicts(
      RowProblem(
        field: "external_id", code: RowProblemCode.duplicateInFile,
        message: "external_id is that of \(place), which has other content; "
          + "give each order an id of its own, and put the lines of one order next to each other",
        line: line))
  }
}

extension DuplicateFinder.Winner {
  /// Reads a row of `stage_earlier.sql`.
  init(row: Row) throws {
    self.init(
      externalID: try row.text(0), row: try row.int64(1), line: try row.int64OrNil(3),
      fingerprint: try row.digestOrNil(2))
  }
}

/// A text that equals another only byte for byte, as it does in the database: Swift's strings are equal also where their
/// letters are composed differently.
private struct ByteKey: Hashable {
  let text: String

  static func == (left: ByteKey, right: ByteKey) -> Bool { left.text.utf8.elementsEqual(right.text.utf8) }

  func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
