/// Which column of a file means what.
public struct ColumnMapping: Sendable, Hashable {
  /// A column that carries a field.
  public struct Column: Sendable, Hashable {
    /// What the column means.
    public let field: ImportField
    /// Its place, from 0.
    public let index: Int
  }

  /// The header's cells, blanks around them removed.
  public let header: [String]
  /// The mapped columns, in the order of ``ImportField``.
  public let columns: [Column]

  private let indexByField: [ImportField: Int]

  /// Finds the columns by the names that people commonly give them, in English and Japanese.
  ///
  /// - Throws: a ``MappingError`` if a required field finds no column, or two columns have the same name.
  public init(header: [String]) throws(MappingError) {
    var sources: [ImportField: Int] = [:]
    let names = header.map(HeaderName.normalised)
    for field in ImportField.allCases {
      let wanted = [HeaderName.normalised(field.rawValue)] + field.synonyms
      guard let name = wanted.first(where: names.contains) else { continue }
      let indexes = names.indices.filter { names[$0] == name }
      guard indexes.count == 1, let index = indexes.first else {
        throw MappingError(.ambiguousSource(header[indexes[0]]), header: header)
      }
      sources[field] = index
    }
    try self.init(header: header, sources: sources)
  }

  /// Takes exactly the columns that are named, and no others.
  ///
  /// - Parameters:
  ///   - specification: `field=column` pairs separated by commas, such as
  ///     `external_id=order_id,item.name=product`; a pair with a comma in it is put in double quotes.
  ///   - header: the names in the file.
  /// - Throws: a ``MappingError`` that lists what there is to choose from.
  public init(specification: String, header: [String]) throws(MappingError) {
    var sources: [ImportField: Int] = [:]
    for pair in try Self.pairs(of: specification, header: header) {
      guard let field = ImportField(rawValue: pair.target) else {
        throw MappingError(.unknownTarget(pair.target), header: header)
      }
      guard sources[field] == nil else { throw MappingError(.duplicateTarget(field), header: header) }
      sources[field] = try Self.index(of: pair.source, for: field, in: header)
    }
    try self.init(header: header, sources: sources)
  }

  private init(header: [String], sources: [ImportField: Int]) throws(MappingError) {
    for field in [ImportField.externalID, .itemName] where sources[field] == nil {
      throw MappingError(.missingField(field), header: header)
    }
    guard sources[.itemTotal] != nil || sources[.itemUnitPrice] != nil else {
      throw MappingError(.missingPrice, header: header)
    }
    self.header = header
    indexByField = sources
    columns = ImportField.allCases.compactMap { field in sources[field].map { Column(field: field, index: $0) } }
  }

  /// The column that carries a field, from 0, or nil.
  public func index(of field: ImportField) -> Int? { indexByField[field] }

  /// The name of the column that carries a field, or nil.
  public func columnName(of field: ImportField) -> String? { indexByField[field].map { header[$0] } }

  /// The names of the columns that mean nothing here.
  public var unusedColumns: [String] {
    let used = Set(columns.map(\.index))
    return header.indices.filter { !used.contains($0) }.map { header[$0] }
  }

  private static func index(of source: String, for field: ImportField, in header: [String]) throws(MappingError) -> Int
  {
    var matches = header.indices.filter { header[$0] == source }
    if matches.isEmpty {
      let wanted = HeaderName.normalised(source)
      matches = header.indices.filter { !wanted.isEmpty && HeaderName.normalised(header[$0]) == wanted }
    }
    guard let index = matches.first else { throw MappingError(.unknownSource(field, source), header: header) }
    guard matches.count == 1 else { throw MappingError(.ambiguousSource(source), header: header) }
    return index
  }

  private static func pairs(
    of specification: String, header: [String]
  ) throws(MappingError) -> [(target: String, source: String)] {
    var reader = DelimitedReader(dialect: Dialect(delimiter: .comma))
    var record = DelimitedRecord()
    Array(specification.utf8).withUnsafeBytes { reader.feed($0) }
    reader.finish()
    guard reader.next(into: &record), record.problem == nil else {
      throw MappingError(.malformedPair(specification), header: header)
    }
    var pairs: [(target: String, source: String)] = []
    for index in 0..<record.cellCount {
      let pair = record.withCell(index, CellText.exactString)
      guard let equals = pair.firstIndex(of: "=") else { throw MappingError(.malformedPair(pair), header: header) }
      let trimmed = { (part: Substring) in CellText.string(Array(part.utf8).span) }
      pairs.append((trimmed(pair[..<equals]), trimmed(pair[pair.index(after: equals)...])))
    }
    return pairs
  }
}
