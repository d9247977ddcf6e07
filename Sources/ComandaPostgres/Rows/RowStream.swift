/// The rows of one statement, read as they come from the server.
///
/// The reactor reads ahead by a bounded number of rows. To be iterated once, inside of the lease; leaving the loop early
/// cancels the statement.
public struct RowStream: AsyncSequence, Sendable {
  /// What the stream consists of.
  public typealias Element = Row

  private let statement: Statement
  private let parameters: [Parameter]
  private let connection: PostgresConnection

  init(_ statement: Statement, _ parameters: [Parameter], on connection: PostgresConnection) {
    self.statement = statement
    self.parameters = parameters
    self.connection = connection
  }

  /// The statement on its way, and where its rows go.
  final class Source: Sendable {
    let buffer = RowBuffer()
    let call: Call

    init(_ bound: BoundStatement, _ part: TransactionPart) {
      call = Call([bound], .rows(buffer), part)
    }
  }

  /// Starts to iterate; the statement itself starts with the first row asked for.
  public func makeAsyncIterator() -> Iterator {
    Iterator(statement, parameters, connection)
  }

  /// Reads the rows one after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let statement: Statement
    private let parameters: [Parameter]
    private let connection: PostgresConnection
    private var source: Source?
    private var rows: [Row] = []
    private var position = 0
    private var isFinished = false

    init(_ statement: Statement, _ parameters: [Parameter], _ connection: PostgresConnection) {
      self.statement = statement
      self.parameters = parameters
      self.connection = connection
    }

    /// The next row; nil after the last one.
    ///
    /// - Throws: ``PostgresError``, or `CancellationError` when the task was cancelled.
    public mutating func next() async throws -> Row? {
      while position == rows.count {
        guard !isFinished else { return nil }
        try await refill()
      }
      defer { position += 1 }
      return rows[position]
    }

    private mutating func refill() async throws {
      let source = try await startedSource()
      let connection = connection
      let batch = try await withTaskCancellationHandler {
        try await source.buffer.next()
      } onCancel: {
        connection.cancel(source.call)
      }
      position = 0
      switch batch {
      case .rows(let rows, let resumeReactor):
        self.rows = rows
        if resumeReactor { connection.resumeReading() }
      case .end(let result):
        rows = []
        isFinished = true
        try result.get()
      }
    }

    private mutating func startedSource() async throws -> Source {
      if let source { return source }
      try Task.checkCancellation()
      let source = try await connection.stream(BoundStatement(statement, parameters))
      self.source = source
      return source
    }
  }
}
