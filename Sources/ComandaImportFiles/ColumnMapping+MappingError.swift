extension ColumnMapping {
  /// Why columns could not be mapped, with what there is to choose from.
  public struct MappingError: Error, Hashable, CustomStringConvertible {
    /// What went wrong.
    public enum Reason: Sendable, Hashable {
      /// A part of the specification is not `field=column`.
      case malformedPair(String)
      /// There is no such field.
      case unknownTarget(String)
      /// A field is named twice.
      case duplicateTarget(ImportField)
      /// The file has no such column.
      case unknownSource(ImportField, String)
      /// The file has several such columns.
      case ambiguousSource(String)
      /// A required field has no column.
      case missingField(ImportField)
      /// Neither `item.total` nor `item.unit_price` has a column.
      case missingPrice
    }

    /// What went wrong.
    public let reason: Reason
    /// The file's columns.
    public let available: [String]

    init(_ reason: Reason, header: [String]) {
      self.reason = reason
      available = header
    }

    /// What is wrong, near matches, and all there is to choose from.
    public var description: String {
      switch reason {
      case .malformedPair(let pair):
        "\(Self.quoted(pair)) is not of the form field=column, such as external_id=order_id; fields: \(Self.fields)"
      case .unknownTarget(let target):
        "there is no field \(Self.quoted(target))"
          + Self.suggestion(HeaderName.nearest(to: target, among: ImportField.allCases.map(\.rawValue)))
          + "; fields: \(Self.fields)"
      case .duplicateTarget(let field):
        "the field \(field.rawValue) is mapped twice; name one column for it"
      case .unknownSource(let field, let source):
        "the file has no column \(Self.quoted(source)) for \(field.rawValue)"
          + Self.suggestion(HeaderName.nearest(to: source, among: available)) + "; \(columns)"
      case .ambiguousSource(let source):
        "the file has more than one column \(Self.quoted(source)); give each its own name; \(columns)"
      case .missingField(let field):
        "no column gives \(field.rawValue)" + Self.suggestion(nearest(to: field))
          + "; name it with --columns \(field.rawValue)=COLUMN; \(columns)"
      case .missingPrice:
        "no column gives a price" + Self.suggestion(nearest(to: .itemTotal))
          + "; name one with --columns item.total=COLUMN or item.unit_price=COLUMN; \(columns)"
      }
    }

    private static let fields = ImportField.allCases.map(\.rawValue).joined(separator: ", ")

    /// The columns that resemble any of the names that a field goes by.
    private func nearest(to field: ImportField) -> [String] {
      var found: [String] = []
      for name in [field.rawValue] + field.synonyms {
        for column in HeaderName.nearest(to: name, among: available) where !found.contains(column) {
          found.append(column)
        }
      }
      return Array(found.prefix(3))
    }

    private var columns: String {
      let shown = available.prefix(40).map(Self.quoted).joined(separator: ", ")
      return "columns: " + (available.count > 40 ? "\(shown), and \(available.count - 40) more" : shown)
    }

    private static func suggestion(_ names: [String]) -> String {
      names.isEmpty ? "" : " (did you mean \(names.map(quoted).joined(separator: " or "))?)"
    }

    private static func quoted(_ text: String) -> String { CellText.quoted(text) }
  }
}
