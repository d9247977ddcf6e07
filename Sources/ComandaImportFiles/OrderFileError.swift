/// Why a file as a whole cannot be imported. Faults of single lines are not errors, but ``FileRow`` values.
public enum OrderFileError: Error, Hashable, CustomStringConvertible {
  /// The operating system refused to open or to read the file.
  case cannotRead(path: String, reason: String)
  /// The path leads to something that cannot be read more than once; `kind` says what.
  case notRegular(path: String, kind: String)
  /// The file has no bytes.
  case empty
  /// The file has bytes, and no text: blank lines, a byte order mark.
  case blank
  /// The file is something else than UTF-8 text; `advice` says what to do.
  case unsupported(format: String, advice: String)
  /// The header line is unusable.
  case header(String)
  /// The columns do not give what an order needs.
  case columns(ColumnMapping.MappingError)

  /// What is wrong, and what would be right.
  public var description: String {
    switch self {
    case .cannotRead(let path, let reason): "cannot read \(path): \(reason)"
    case .notRegular(let path, let kind):
      "\(path) is \(kind), not a regular file; an import reads its file more than once, so name a saved one"
    case .empty: "the file is empty; its first line must name the columns"
    case .blank: "the file holds only blank lines; its first line must name the columns"
    case .unsupported(let format, let advice): "the file is \(format); \(advice)"
    case .header(let reason): "the header line cannot be used: \(reason)"
    case .columns(let error): error.description
    }
  }
}
