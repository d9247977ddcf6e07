import FoundationEssentials

/// One JSON object on one line of stdout, its keys sorted and in snake_case.
enum JSONOutput {
  static func write(_ value: some Encodable) throws {
    StandardOutput.write(try text(of: value) + "\n")
  }

  static func text(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}
