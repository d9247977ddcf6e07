import ComandaDomain
import ComandaPostgres
import FoundationEssentials

/// What the store knows of a request that was sent with an id.
enum RequestClaim {
  /// It is new, or has no id; it is remembered when the transaction commits.
  case first
  /// It was answered before, with the thing of this id.
  case repeated(UUID)
}

extension RequestClaim {
  /// The statements that remember the request inside of the open transaction; none when it has no id.
  ///
  /// - Parameter response: The id of the thing that answers the request.
  static func statements(
    _ mutation: Mutation, in business: BusinessID, response: UUID
  ) -> [(Statement, [Parameter])] {
    guard let request = mutation.request else { return [] }
    let key: [Parameter] = [.id(business), .text(mutation.method), .text(request.id)]
    let memory = Parameter.float8(Double(RequestKey.rememberedSeconds))
    return [
      (SQL.requestClaim, key + [.digest(request.fingerprint), .uuid(response), memory]),
      (SQL.requestFind, key),
    ]
  }

  /// Reads the results of the statements.
  ///
  /// - Throws: ``DomainError/requestIDReused``.
  init(_ results: some Collection<QueryResult>, of mutation: Mutation) throws {
    guard let request = mutation.request, let claimed = results.first, claimed.affectedRows == 0 else {
      self = .first
      return
    }
    // A purge may have taken it between the two statements; whoever sends again claims it.
    guard let row = results.dropFirst().first?.rows.first else { throw DomainError.aborted }
    guard try row.digest(0) == request.fingerprint else { throw DomainError.requestIDReused }
    self = .repeated(try row.uuid(1))
  }
}

extension PostgresConnection {
  /// Remembers the request inside of the open transaction, in a round trip of its own.
  ///
  /// - Parameter response: The id of the thing that answers the request.
  /// - Throws: ``DomainError/requestIDReused``.
  nonisolated(nonsending) func claim(
    _ mutation: Mutation, in business: BusinessID, response: UUID
  ) async throws -> RequestClaim {
    let statements = RequestClaim.statements(mutation, in: business, response: response)
    return try RequestClaim(try await pipeline(statements), of: mutation)
  }
}

/// The two statements that audit one change; they come last in their transaction.
func audit(
  _ mutation: Mutation, of subject: UUID, in business: BusinessID, detail: String = "{}"
) -> [(Statement, [Parameter])] {
  [
    (SQL.auditCounter, [.id(business)]),
    (
      SQL.auditAppend,
      [
        .id(business), .id(mutation.actor), .uuid(subject), .time(mutation.at), .text(mutation.method),
        .text(mutation.request?.id ?? ""), .json(detail),
      ]
    ),
  ]
}
