/// A text from elsewhere, fit for a terminal: control characters, which could move its cursor or change its title, are
/// replaced.
struct Printable: CustomStringConvertible {
  let description: String

  init(_ value: some Any) {
    self.init("\(value)")
  }

  init(_ text: String) {
    let isClean = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    description = isClean ? text : Self.cleaned(text)
  }

  private static func cleaned(_ text: String) -> String {
    var view = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n", "\t", "\r": view.append(" ")
      case _ where isUnfit(scalar): view.append("\u{FFFD}")
      default: view.append(scalar)
      }
    }
    return String(view)
  }

  /// Controls, and marks that turn the direction of the rest of the line.
  private static func isUnfit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
      || (0x2066...0x2069).contains(scalar.value)
  }

  /// How many columns a terminal gives to it: two for a wide East Asian character, none for a combining mark.
  var width: Int {
    description.unicodeScalars.reduce(0) { $0 + Self.width(of: $1) }
  }

  /// The beginning that fits into so many columns, with an ellipsis where something is left out.
  func cut(to columns: Int) -> Printable {
    if width <= columns { return self }
    var view = String.UnicodeScalarView()
    var used = 0
    for scalar in description.unicodeScalars {
      used += Self.width(of: scalar)
      if used > columns - 1 { break }
      view.append(scalar)
    }
    view.append("…")
    return Printable(String(view))
  }

  private static func width(of scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20..<0x7F: return 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format: return 0
      default: return 1
      }
    }
  }
}
