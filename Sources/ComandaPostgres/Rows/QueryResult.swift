import CLibPQ

/// What a statement gave back.
public struct QueryResult: Sendable {
  let handle: ResultHandle

  /// The rows, in the server's order.
  public var rows: Rows { Rows(handle: handle) }

  /// The number of rows that the statement inserted, updated, deleted or selected.
  public var affectedRows: Int { handle.affectedRows }

  /// The rows of a result, read in place.
  public struct Rows: RandomAccessCollection, Sendable {
    let handle: ResultHandle

    /// The first row's position, 0.
    public var startIndex: Int { 0 }
    /// The number of rows.
    public var endIndex: Int { Int(PQntuples(handle.raw)) }

    /// The row at a position, which must be one of ``indices``.
    public subscript(position: Int) -> Row {
      precondition(indices.contains(position), "row \(position) is not in a result of \(count) rows")
      return Row(result: handle, index: Int32(position))
    }
  }
}
