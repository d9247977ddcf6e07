import Foundation

/// The rules of a business's own id of an order: what makes two of them the same, and which are refused because they only
/// look the same.
public enum ExternalID {
  /// The id in the form in which it is stored, looked up and compared: Unicode's normal form NFC, since a letter with an
  /// accent can be written in two ways that nobody can tell apart.
  ///
  /// Source: Unicode Standard Annex 15.
  public static func normalized(_ text: String) -> String {
    text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
  }

  /// Whether the id begins or ends with something that cannot be seen: white space of any script, or a format character.
  static func hasInvisibleEnd(_ text: String) -> Bool {
    let scalars = text.unicodeScalars
    return [scalars.first, scalars.last].contains { scalar in
      guard let scalar else { return false }
      if scalar.isASCII { return scalar == " " || (0x09...0x0D).contains(scalar.value) }
      return scalar.properties.isWhitespace || scalar.properties.generalCategory == .format
    }
  }
}
