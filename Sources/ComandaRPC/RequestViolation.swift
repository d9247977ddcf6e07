/// One thing in a serialized request that breaks a bound of the schema.
public struct RequestViolation: Hashable, Sendable {
  /// The path of the field, as the schema's `FieldViolation` spells it: `filter.statuses[2]`.
  public let field: String
  /// What is wrong.
  public let problem: Problem

  /// A violation.
  public init(field: String, problem: Problem) {
    self.field = field
    self.problem = problem
  }

  /// The closed set of problems.
  public enum Problem: Hashable, Sendable {
    /// A text has too many characters.
    case tooLong(length: Int, limit: Int)
    /// Bytes are too many.
    case tooManyBytes(count: Int, limit: Int)
    /// A text is not valid UTF-8.
    case notUTF8
    /// A text holds a control character other than tab and line break.
    case controlCharacter(UInt32)
    /// A list has more entries than it may; how many is not counted.
    case tooMany(limit: Int)
    /// An enum has no such number.
    case unknownValue(Int64, known: [String])
    /// A moment lies outside of the years 1970 to 9999, or its nanoseconds outside of one second.
    case momentOutOfRange(seconds: Int64, nanoseconds: Int64)
    /// A field that holds one text or message occurs more than once.
    case repeated
  }
}

/// A request that breaks bounds of the schema, and is refused before it is decoded.
public struct RefusedRequest: Error, Hashable, Sendable {
  /// What is wrong: not empty, and no longer than ``MessageBounds/reportedViolations``.
  public let violations: [RequestViolation]

  /// A refusal for these reasons.
  public init(_ violations: [RequestViolation]) {
    self.violations = violations
  }
}
