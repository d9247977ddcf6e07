/// One SQL statement with `$1`, `$2`, … for its parameters: the identity of a prepared statement.
///
/// Make it once, as a constant. A connection prepares it when it first meets it, and again after a reconnect.
public struct Statement: Sendable, Hashable {
  /// The SQL text.
  public let sql: String
  /// What logs, metrics and errors call it.
  public let name: String
  /// Whether it changes nothing and locks nothing, so that it may be sent twice and share a round trip's Sync.
  public let isReadOnly: Bool
  private let hash: Int

  /// Names one statement.
  ///
  /// - Parameters:
  ///   - sql: one statement, without a trailing semicolon.
  ///   - name: a short name for logs, metrics and errors.
  ///   - readOnly: a promise that the statement is a plain read: no write, no lock, no function with an effect.
  ///     Concurrent calls of such statements share one Sync, which costs the server far less; one that fails
  ///     makes the others of its group run again.
  public init(_ sql: String, name: String? = nil, readOnly: Bool = false) {
    self.sql = sql
    self.name = name ?? "unnamed"
    self.isReadOnly = readOnly
    var hasher = Hasher()
    hasher.combine(sql)
    self.hash = hasher.finalize()
  }

  /// Statements are the same when their texts are.
  public static func == (one: Statement, other: Statement) -> Bool {
    one.hash == other.hash && one.sql == other.sql
  }

  /// Hashes the text, once for all: statements are looked up with every call.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(hash)
  }
}

extension Statement {
  static let begin = Statement("BEGIN", name: "begin")
  static let commit = Statement("COMMIT", name: "commit")
  static let rollback = Statement("ROLLBACK", name: "rollback")
}
