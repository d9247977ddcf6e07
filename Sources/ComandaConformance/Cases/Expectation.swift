import Foundation

/// Whether what came is what a case expects: nil, or what is wrong.
enum Expectation {
  /// Compares a value with a value or a matcher.
  static func problem(_ actual: JSONValue, _ expected: JSONValue) throws(CaseError) -> String? {
    if case .object(let matcher) = expected, matcher.count == 1, let (name, argument) = matcher.first {
      if let outcome = try matches(actual, name, argument) {
        return outcome ? nil : "expected \(expected), got \(actual)"
      }
    }
    if case .object(let fields) = expected, case .object(let found) = actual {
      return try problem(found, has: fields)
    }
    if actual == expected { return nil }
    if let number = expected.unsigned, actual.unsigned == number { return nil }
    return "expected \(expected), got \(actual)"
  }

  /// Compares the fields given; one that is not there counts as its default.
  static func problem(
    _ actual: [String: JSONValue], has fields: [String: JSONValue]
  ) throws(CaseError) -> String? {
    for (name, expected) in fields.sorted(by: { $0.key < $1.key }) {
      guard let found = actual[name] else {
        if [0, "", false, [], "0"].contains(expected) { continue }
        return "expected \(name) \(expected), got none"
      }
      if let problem = try problem(found, expected) { return "\(name): \(problem)" }
    }
    return nil
  }

  /// nil when there is no such matcher.
  private static func matches(
    _ actual: JSONValue, _ name: String, _ argument: JSONValue
  ) throws(CaseError) -> Bool? {
    switch name {
    case "any_of":
      guard let choices = argument.array else { throw CaseError("any_of has an array") }
      for choice in choices where try problem(actual, choice) == nil { return true }
      return false
    case "at_least", "at_most":
      guard let bound = argument.unsigned else { throw CaseError("\(name) has a whole number") }
      guard let number = actual.unsigned else { return false }
      return name == "at_least" ? number >= bound : number <= bound
    case "contains":
      guard let part = argument.text else { throw CaseError("contains has a text") }
      return actual.text?.contains(part) == true
    case "size":
      guard let size = argument.unsigned else { throw CaseError("size has a whole number") }
      return actual.text.map { UInt64($0.utf8.count) } == size
    default: return nil
    }
  }

  /// Compares bytes with an expression of bytes, a size, or some fields of a message.
  static func problem(_ actual: Data, _ expected: JSONValue) throws(CaseError) -> String? {
    guard case .object(let expression) = expected else {
      return try difference(actual, BytesExpression.bytes(of: expected))
    }
    if expression.count == 1, let size = expression["size"]?.unsigned {
      return UInt64(actual.count) == size ? nil : "expected \(size) bytes, got \(actual.count)"
    }
    guard let name = expression["protobuf"]?.text, let fields = expression["has"]?.object else {
      return try difference(actual, BytesExpression.bytes(of: expected))
    }
    do {
      let message = try BytesExpression.fields(of: actual, as: name)
      return try problem(message.object ?? [:], has: fields)
    } catch let error as CaseError {
      throw error
    } catch {
      return "expected a \(name), got \(actual.count) bytes that are none: \(error)"
    }
  }

  private static func difference(_ actual: Data, _ expected: Data) -> String? {
    if actual == expected { return nil }
    if actual.count != expected.count { return "expected \(expected.count) bytes, got \(actual.count)" }
    let place = zip(actual, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
    return "got \(actual.count) bytes as expected, but they differ from byte \(place) on"
  }
}
