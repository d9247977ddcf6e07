/// What the declarations of one file tell about names. It knows no scopes: a name that is declared in two ways in a file is
/// taken for the one that may trap.
struct KnownNames {
  /// Names of texts, lists and the like, which `+` joins.
  private(set) var joined: Set<String> = []
  /// Names of dictionaries, whose subscripts do not trap.
  private(set) var dictionaries: Set<String> = []
  /// The types of the names of integers.
  private(set) var integers: [String: String] = [:]

  /// Types whose `+` joins two of them.
  private static let joinedTypes: Set<String> = ["String", "Substring", "Data"]

  private enum Declared: Hashable {
    case joined
    case dictionary
    case integer(String)
    case other
  }

  init(_ tokens: SwiftTokens) {
    var declarations: [String: Set<Declared>] = [:]
    for run in tokens.runs {
      for index in run.indices where run[index].kind == .word {
        guard let declared = Self.declared(at: index, in: run) else { continue }
        declarations[run[index].text, default: []].insert(declared)
      }
    }
    for (name, declared) in declarations where declared.count == 1 {
      switch declared.first {
      case .joined: joined.insert(name)
      case .dictionary: dictionaries.insert(name)
      case .integer(let type): integers[name] = type
      case .other, nil: break
      }
    }
  }

  /// What `name: Type` or `let name = literal` says of the name at `index`.
  private static func declared(at index: Int, in run: [SwiftToken]) -> Declared? {
    guard index + 2 < run.count else { return nil }
    let value = run[index + 2]
    if run[index + 1].isMark(":"), run[index + 1].touchesPrevious {
      if value.isMark("[") { return bracketed(at: index + 2, in: run) }
      guard value.kind == .word, value.text.first?.isUppercase == true else { return nil }
      if isMember(at: index + 3, of: run) { return .other }
      if joinedTypes.contains(value.text) { return .joined }
      return TrapRules.integers.contains(value.text) ? .integer(value.text) : .other
    }
    guard index > 0, run[index - 1].isWord("let") || run[index - 1].isWord("var"), run[index + 1].text == "=" else {
      return nil
    }
    if value.isMark("[") { return bracketed(at: index + 2, in: run) }
    if value.kind == .text, !isMember(at: index + 3, of: run) { return .joined }
    // `Mutex<[Key: Value]>`, whose content its closures call as it is called.
    if value.isWord("Mutex"), index + 4 < run.count, run[index + 4].isMark("[") {
      return bracketed(at: index + 4, in: run)
    }
    return value.isWord("Dictionary") ? .dictionary : .other
  }

  /// `[Value]` or `[Key: Value]`, as a type or as a literal.
  private static func bracketed(at index: Int, in run: [SwiftToken]) -> Declared {
    guard let end = run.partner(ofOpening: index) else { return .other }
    if isMember(at: end + 1, of: run) { return .other }
    return run.hasMark(":", directlyIn: index, end) ? .dictionary : .joined
  }

  /// Whether what stands before is only the beginning of something: `"text".count`, `names[0]`.
  private static func isMember(at index: Int, of run: [SwiftToken]) -> Bool {
    guard index < run.count, run[index].touchesPrevious else { return false }
    return run[index].isMark(".") || run[index].isMark("[")
  }
}
