/// A row of an import, as its outcome is known now.
public struct ImportRow: Hashable, Sendable {
  /// The row's number, from 1.
  public let number: Int64
  /// What became of it.
  public let outcome: RowOutcome
  /// The sender's id of the order; empty when it could not be read.
  public let externalID: String
  /// The order that the row became, or that was there already.
  public let orderID: OrderID?
  /// Why it failed; empty unless it did.
  public let problems: [RowProblem]
  /// The lines of the file that the row came from, as they were.
  public let source: [SourceText]

  /// Makes a row as it was stored.
  public init(
    number: Int64, outcome: RowOutcome, externalID: String, orderID: OrderID?, problems: [RowProblem],
    source: [SourceText]
  ) {
    self.number = number
    self.outcome = outcome
    self.externalID = externalID
    self.orderID = orderID
    self.problems = problems
    self.source = source
  }
}

/// What became of a row.
public enum RowOutcome: Int16, Hashable, Sendable, CaseIterable {
  /// Waits to be applied.
  case waiting = 0
  /// Became an order.
  case applied = 1
  /// Its order was there already, with the same content.
  case unchanged = 2
  /// Was refused.
  case failed = 3
  /// Was never looked at, since the import ended before.
  case unprocessed = 4
}

extension RowOutcome: SchemaNamed {
  /// The name in the schema.
  public var schemaName: String {
    switch self {
    case .waiting: "WAITING"
    case .applied: "APPLIED"
    case .unchanged: "UNCHANGED"
    case .failed: "FAILED"
    case .unprocessed: "UNPROCESSED"
    }
  }
}

/// One reason why a row failed.
public struct RowProblem: Hashable, Sendable {
  /// The path of the field, or the column's name where the client could not map it; empty when it is the whole row.
  public let field: String
  /// A stable name, such as `OUT_OF_RANGE` or one of ``RowProblemCode``.
  public let code: String
  /// What is wrong and what would be right.
  public let message: String
  /// The line of the file; nil when it is not known.
  public let line: Int64?

  /// Makes a problem.
  public init(field: String, code: String, message: String, line: Int64?) {
    self.field = field
    self.code = code
    self.message = message
    self.line = line
  }

  /// The problem of a row that the database refuses, though it passed every check.
  public static func notStorable(line: Int64?) -> RowProblem {
    RowProblem(
      field: "", code: RowProblemCode.notStorable,
      message: "the database cannot store the row, though no check found a fault in it; "
        + "look for unusual texts or numbers in it, and report it to the platform's operator",
      line: line)
  }

  /// The problem that a violation found by validation is, at the line where the row starts.
  public init(_ violation: FieldViolation, line: Int64?) {
    self.init(field: violation.field, code: violation.code, message: violation.message, line: line)
  }
}

/// Names of problems that a store finds when it compares a row with others.
public enum RowProblemCode {
  /// The id was used by an earlier row of the same file, with other content.
  public static let duplicateInFile = "DUPLICATE_IN_FILE"
  /// The id belongs to an order that was there before the import, with other content.
  public static let alreadyExists = "ALREADY_EXISTS"
  /// The database refused the row, though it passed every check.
  public static let notStorable = "NOT_STORABLE"
}

/// One line of the imported file.
public struct SourceText: Hashable, Sendable {
  /// The line's number, from 1.
  public let line: Int64
  /// Its bytes as they were in the file; not necessarily UTF-8.
  public let bytes: [UInt8]

  /// Makes a line.
  public init(line: Int64, bytes: [UInt8]) {
    self.line = line
    self.bytes = bytes
  }
}
