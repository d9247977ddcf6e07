/// One thing that is wrong with one field of a request or of an imported row.
public struct FieldViolation: Hashable, Sendable {
  /// The path of the field as the schema spells it, such as `items[2].total`.
  public let field: String
  /// What is wrong.
  public let problem: Problem

  /// Makes a violation.
  public init(field: String, problem: Problem) {
    self.field = field
    self.problem = problem
  }

  /// A stable name of the problem for programs, such as `OUT_OF_RANGE`.
  public var code: String { problem.code }
  /// What is wrong and what would be right, in English. It holds no personal data: no text of the request is quoted.
  public var message: String { "\(field) \(problem.text)" }

  /// The closed set of problems. Each carries what a translation of its message needs.
  public enum Problem: Hashable, Sendable {
    /// The field must be given.
    case missing(expected: String)
    /// The text is longer than allowed.
    case tooLong(length: Int, limit: Int)
    /// The text holds a control character, which no store or terminal takes well.
    case controlCharacter(scalar: UInt32)
    /// The text starts or ends with a blank or an invisible character, so that two ids would look alike.
    case surroundingBlanks
    /// The text does not have the form that the field needs.
    case malformed(expected: String)
    /// The number lies outside its bounds.
    case outOfRange(value: String, allowed: String)
    /// The value is none of those that this server knows.
    case unknownValue(given: String, allowed: [String])
    /// There are more entries than allowed.
    case tooMany(count: Int, limit: Int)
    /// There are more entries than allowed, and nobody counted how many.
    case moreThan(limit: Int)
    /// A computed amount differs from the given one.
    case mismatch(given: Money, computed: Money, explanation: String)
    /// The field contradicts another one.
    case contradiction(explanation: String)
  }
}

extension FieldViolation.Problem {
  /// A stable name for programs.
  public var code: String {
    switch self {
    case .missing: "MISSING"
    case .tooLong: "TOO_LONG"
    case .controlCharacter: "CONTROL_CHARACTER"
    case .surroundingBlanks: "SURROUNDING_BLANKS"
    case .malformed: "MALFORMED"
    case .outOfRange: "OUT_OF_RANGE"
    case .unknownValue: "UNKNOWN_VALUE"
    case .tooMany, .moreThan: "TOO_MANY"
    case .mismatch: "MISMATCH"
    case .contradiction: "CONTRADICTION"
    }
  }

  /// The rest of a sentence that begins with the field's name.
  var text: String {
    switch self {
    case .missing(let expected):
      "is missing; send \(expected)"
    case .tooLong(let length, let limit):
      "has \(length) characters; at most \(limit) are allowed"
    case .controlCharacter(let scalar):
      "holds the control character U+\(hexadecimal(scalar)); remove it (tabs and line breaks are fine)"
    case .surroundingBlanks:
      "starts or ends with a blank or an invisible character; remove it"
    case .malformed(let expected):
      "is malformed; send \(expected)"
    case .outOfRange(let value, let allowed):
      "is \(value); it must be \(allowed)"
    case .unknownValue(let given, let allowed):
      "is \(given), which is not known here; use \(listed(allowed, last: "or"))"
    case .tooMany(let count, let limit):
      "has \(count) entries; at most \(limit) are allowed"
    case .moreThan(let limit):
      "has more than \(limit) entries, which is the most that are allowed"
    case .mismatch(let given, let computed, let explanation):
      "is \(given), but \(explanation) \(computed); send \(computed) or leave the field out"
    case .contradiction(let explanation):
      explanation
    }
  }

  private func hexadecimal(_ scalar: UInt32) -> String {
    let digits = String(scalar, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits  // bounded: at most 8 digits
  }
}

/// Everything that was found wrong with one order, in the order of its fields; never empty.
public struct InvalidOrder: Error, Hashable, Sendable {
  /// The violations, at most ``OrderLimits/reportedViolations``.
  public let violations: [FieldViolation]
}

extension InvalidOrder: CustomStringConvertible {
  /// All messages in one line.
  public var description: String { violations.map(\.message).joined(separator: "; ") }
}

/// `a, b or c`.
func listed(_ words: [String], last conjunction: String) -> String {
  guard let final = words.last, words.count > 1 else { return words.first ?? "nothing" }
  return "\(words.dropLast().joined(separator: ", ")) \(conjunction) \(final)"
}
