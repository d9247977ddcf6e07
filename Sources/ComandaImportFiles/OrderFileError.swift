/// Why a file as a whole cannot be imported. Faults of single lines are not errors, but ``FileRow`` values.
public enum OrderFileError: Error, Hashable, CustomStringConvertible {
  /// The operating system refused to open or to read the file.
  case cannotRead(path: String, reason: String)
  /// The file has no header line.
  case empty
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
    case .empty: "the file is empty; its first line must name the columns"
    case .unsupported(let format, let advice): "the file is \(format); \(advice)"
    case .header(let reason): "the header line cannot be used: \(reason)"
    case .columns(let error): error.description
    }
  }
}
