/// A text from elsewhere, fit for a line of a log: short, and unable to begin a line or a field of its own.
///
/// A plain word, such as an address or an id, stands as it is. Anything else is put in quotes, what controls a terminal
/// or the direction of writing is escaped, and what is too long is cut.
public struct LogText: Sendable, CustomStringConvertible {
  /// How many Unicode scalars are shown: a sentence or two.
  public static let longest = 200

  /// The text, as the log shows it.
  public let description: String

  /// Makes a text fit.
  public init(_ text: String) {
    let isPlain = !text.isEmpty && text.utf8.count <= Self.longest && text.utf8.allSatisfy(Self.isPlain)
    description = isPlain ? text : Self.quoted(text)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "="): false
    default: (0x21...0x7E).contains(byte)
    }
  }

  private static func quoted(_ text: String) -> String {
    var shown = "\""
    let scalars = text.unicodeScalars
    for scalar in scalars.prefix(longest) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
        shown += "\\u{\(String(scalar.value, radix: 16))}"
      default:
        if scalar == "\"" || scalar == "\\" { shown += "\\" }
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown + (scalars.dropFirst(longest).isEmpty ? "\"" : "…\"")
  }
}
