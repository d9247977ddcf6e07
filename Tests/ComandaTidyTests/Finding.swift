/// A place in a source that breaks a rule.
struct Finding: Hashable, CustomStringConvertible {
  var line: Int
  var rule: Rule
  /// The token that breaks it.
  var token: String

  var description: String { "line \(line): `\(token)`: \(rule.advice)" }
}

/// What is refused in the targets that handle what peers, users and the database say. A trap there ends the server for
/// every tenant.
enum Rule: String, Hashable, CaseIterable {
  /// `+ - *` and their assignments trap when the result does not fit.
  case arithmetic
  /// `&+ &- &*` give a wrong result without a word.
  case wrappingArithmetic
  /// `/` and `%` trap when the divisor is 0.
  case division
  /// `a...b` and `a..<b` trap when the bounds are in the wrong order.
  case range
  /// `Int64(value)` traps when the value does not fit, or is a fraction that has no end.
  case conversion
  /// `truncatingIfNeeded`, `numericCast` and the like.
  case truncation
  /// `Dictionary(uniqueKeysWithValues:)` traps when a key comes twice.
  case uniqueKeys
  /// `values[index]` traps when there is no such element.
  case subscripting
  /// `removeFirst()` and its like trap when there is nothing to remove.
  case removal
  /// `value!`, `try!`, `as!`, `fatalError` and their like: never, with no reason.
  case trap
  /// A mark above nothing that needs one.
  case needlessReason
  /// A mark that does not say what the bound is.
  case emptyReason

  /// What would be right.
  var advice: String {
    switch self {
    case .arithmetic:
      "may trap; use addingReportingOverflow and its like, or say `// bounded: why`; for texts and lists use append"
    case .wrappingArithmetic: "wraps around silently; use checked arithmetic, or say `// bounded: why`"
    case .division: "traps when the divisor is 0; divide by a literal, or say `// bounded: why`"
    case .range: "traps when the bounds are in the wrong order; say `// bounded: why` they never are"
    case .conversion: "may trap; use `exactly:` or `clamping:`, or say `// bounded: why`"
    case .truncation: "drops bits silently; use `exactly:` or `clamping:`, or say `// bounded: why`"
    case .uniqueKeys: "traps when a key comes twice; use `uniquingKeysWith:`, or say `// bounded: why`"
    case .subscripting: "may trap; use first, last or dropFirst, or say `// bounded: why`"
    case .removal: "traps when there are not as many; use popFirst, popLast or dropFirst, or say `// bounded: why`"
    case .trap: "ends the process for every tenant; throw instead"
    case .needlessReason: "nothing here needs this reason; remove it"
    case .emptyReason: "say what the bound is, and why it holds"
    }
  }

  /// Whether a reason excuses it.
  var isExcusable: Bool {
    switch self {
    case .trap, .needlessReason, .emptyReason: false
    default: true
    }
  }
}
