/// An object of a case file, whose fields are taken one by one; what nobody took is an error: a misspelt expectation
/// would expect nothing.
struct JSONFields {
  private var fields: [String: JSONValue]
  private let place: String

  init(_ value: JSONValue, of place: String) throws(CaseError) {
    guard case .object(let fields) = value else { throw CaseError("\(place) is an object; this is \(value)") }
    self.fields = fields
    self.place = place
  }

  /// Takes a field; nil when it is not there.
  mutating func take(_ name: String) -> JSONValue? {
    fields.removeValue(forKey: name)
  }

  mutating func require(_ name: String) throws(CaseError) -> JSONValue {
    guard let value = take(name) else { throw CaseError("\(place) has no \"\(name)\"") }
    return value
  }

  mutating func requireText(_ name: String) throws(CaseError) -> String {
    guard let text = try require(name).text else { throw CaseError("\"\(name)\" of \(place) is not a text") }
    return text
  }

  mutating func text(_ name: String) throws(CaseError) -> String? {
    guard let value = take(name) else { return nil }
    guard let text = value.text else { throw CaseError("\"\(name)\" of \(place) is not a text") }
    return text
  }

  mutating func number(_ name: String) throws(CaseError) -> UInt64? {
    guard let value = take(name) else { return nil }
    guard let number = value.unsigned else { throw CaseError("\"\(name)\" of \(place) is not a whole number") }
    return number
  }

  mutating func flag(_ name: String) throws(CaseError) -> Bool? {
    guard let value = take(name) else { return nil }
    guard case .bool(let flag) = value else { throw CaseError("\"\(name)\" of \(place) is not true or false") }
    return flag
  }

  mutating func array(_ name: String) throws(CaseError) -> [JSONValue]? {
    guard let value = take(name) else { return nil }
    guard let array = value.array else { throw CaseError("\"\(name)\" of \(place) is not an array") }
    return array
  }

  /// Fails on fields that nobody took.
  func end() throws(CaseError) {
    if let name = fields.keys.sorted().first { throw CaseError("\(place) has \"\(name)\", which means nothing there") }
  }

  /// The fields that nobody took.
  var rest: [String: JSONValue] {
    fields
  }
}

/// A case file that does not say what it should.
struct CaseError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }

  /// The same error, in a larger place.
  func within(_ place: String) -> CaseError {
    CaseError("\(place): \(description)")
  }
}
