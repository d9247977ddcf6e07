public import FoundationEssentials

extension Row {
  /// int2[], int4[] or int8[], with nil for NULL elements.
  public func int64Array(_ column: Int) throws(PostgresError) -> [Int64?] {
    try required(column, int64ArrayOrNil(column))
  }

  /// int2[], int4[] or int8[], with nil for NULL elements; nil for NULL.
  public func int64ArrayOrNil(_ column: Int) throws(PostgresError) -> [Int64?]? {
    try cell(column) { (_, bytes) in
      BinaryReader.array(bytes) { (type, element) in
        switch type {
        case .int8: BinaryReader.integer(Int64.self, element)
        case .int4: BinaryReader.integer(Int32.self, element).map(Int64.init)
        case .int2: BinaryReader.integer(Int16.self, element).map(Int64.init)
        default: nil
        }
      }
    }
  }

  /// text[] and its like, with nil for NULL elements.
  public func textArray(_ column: Int) throws(PostgresError) -> [String?] {
    try required(column, textArrayOrNil(column))
  }

  /// text[] and its like, with nil for NULL elements; nil for NULL.
  public func textArrayOrNil(_ column: Int) throws(PostgresError) -> [String?]? {
    try cell(column) { (_, bytes) in
      BinaryReader.array(bytes) { (type, element) in
        type.isTextual || type.isUserDefined ? BinaryReader.text(element) : nil
      }
    }
  }

  /// uuid[], with nil for NULL elements.
  public func uuidArray(_ column: Int) throws(PostgresError) -> [UUID?] {
    try required(column, uuidArrayOrNil(column))
  }

  /// uuid[], with nil for NULL elements; nil for NULL.
  public func uuidArrayOrNil(_ column: Int) throws(PostgresError) -> [UUID?]? {
    try cell(column) { (_, bytes) in
      BinaryReader.array(bytes) { (type, element) in type == .uuid ? BinaryReader.uuid(element) : nil }
    }
  }
}
