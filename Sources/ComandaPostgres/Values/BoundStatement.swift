/// A statement with its parameters encoded, ready for libpq. Made on the caller's thread, not the reactor's.
struct BoundStatement: Sendable {
  let statement: Statement
  /// The type of each parameter; unspecified for NULL.
  let types: [PostgresType]
  /// All values, one after the other.
  let values: [UInt8]
  /// The length of each value in bytes; -1 is NULL.
  let lengths: [Int32]

  /// What the protocol's 16-bit count allows.
  static let parameterLimit = 65_535

  /// PostgreSQL refuses a message, and so all parameters together, of 1 GiB or more.
  static let byteLimit = 1 << 30

  init(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) {
    guard parameters.count <= Self.parameterLimit else {
      throw Self.refusal(statement, "\(parameters.count) parameters, at most \(Self.parameterLimit) can be sent")
    }
    var writer = BinaryWriter()
    var types: [PostgresType] = []
    var lengths: [Int32] = []
    types.reserveCapacity(parameters.count)
    lengths.reserveCapacity(parameters.count)
    for (index, parameter) in parameters.enumerated() {
      types.append(parameter.type)
      if case .null = parameter {
        lengths.append(-1)
        continue
      }
      let start = writer.count
      guard parameter.write(to: &writer) else {
        throw Self.refusal(statement, "parameter $\(index + 1) is a time outside of PostgreSQL's range")
      }
      guard writer.count < Self.byteLimit else {
        throw Self.refusal(statement, "parameters up to $\(index + 1) have 1 GiB or more")
      }
      lengths.append(Int32(writer.count - start))
    }
    self.statement = statement
    self.types = types
    self.values = writer.take()
    self.lengths = lengths
  }

  init(_ statement: Statement) {
    self.statement = statement
    self.types = []
    self.values = []
    self.lengths = []
  }

  private static func refusal(_ statement: Statement, _ reason: String) -> PostgresError {
    var error = PostgresError(.invalidParameter, reason)
    error.statementName = statement.name
    return error
  }
}
