/// How the cells of a text table are told apart.
public struct Dialect: Sendable, Hashable {
  /// The byte between two cells.
  public enum Delimiter: String, Sendable, CaseIterable {
    /// RFC 4180.
    case comma
    /// IANA `text/tab-separated-values`, with the quotes that spreadsheets add to it.
    case tab
    /// What spreadsheets write where the comma is the decimal mark.
    case semicolon

    var byte: UInt8 {
      switch self {
      case .comma: UInt8(ascii: ",")
      case .tab: UInt8(ascii: "\t")
      case .semicolon: UInt8(ascii: ";")
      }
    }
  }

  /// The byte between two cells.
  public var delimiter: Delimiter

  /// Creates a dialect.
  public init(delimiter: Delimiter) {
    self.delimiter = delimiter
  }

  /// Whether a quote that opens a cell and is never properly closed is taken as a plain character.
  ///
  /// Plain TSV has no quoting, so `"Big" pizza` is a legal cell there; in CSV it is an error.
  var takesBrokenQuotesAsData: Bool { delimiter == .tab }

  /// Recognises the dialect of a file.
  ///
  /// - Parameters:
  ///   - head: the beginning of the file, with its whole first line if it is short enough.
  ///   - path: the file's name; `.tsv` and `.tab` decide for tabs if the first line has any.
  /// - Returns: the delimiter that is most frequent in the first line outside of quotes; comma if there is none.
  public static func sniffed(fromHead head: Span<UInt8>, path: String = "") -> Dialect {
    var counts: [Delimiter: Int] = [:]
    var quoted = false
    var offset = 0
    scan: while offset < head.count {
      let byte = head[offset]
      switch byte {
      case UInt8(ascii: "\""): quoted.toggle()
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        if !quoted && !counts.isEmpty { break scan }
      default:
        if !quoted, let delimiter = Delimiter.allCases.first(where: { $0.byte == byte }) {
          counts[delimiter, default: 0] += 1
        }
      }
      offset += 1
    }
    let name = path.lowercased()
    if name.hasSuffix(".tsv") || name.hasSuffix(".tab"), counts[.tab, default: 0] > 0 {
      return Dialect(delimiter: .tab)
    }
    var best = Delimiter.comma
    for candidate in Delimiter.allCases where counts[candidate, default: 0] > counts[best, default: 0] {
      best = candidate
    }
    return Dialect(delimiter: best)
  }
}
