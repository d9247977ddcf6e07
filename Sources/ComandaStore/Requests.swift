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

extension PostgresConnection {
  /// Remembers the request inside of the open transaction.
  ///
  /// - Parameter response: The id of the thing that answers the request.
  /// - Throws: ``DomainError/requestIDReused``.
  nonisolated(nonsending) func claim(
    _ mutation: Mutation, in business: BusinessID, response: UUID
  ) async throws -> RequestClaim {
    guard let request = mutation.request else { return .first }
    let expiry = mutation.at.adding(seconds: RequestKey.rememberedSeconds)
    let claimed = try await query(
      SQL.requestClaim,
      [
        .id(business), .text(mutation.method), .text(request.id), .digest(request.fingerprint), .uuid(response),
        .time(mutation.at), .time(expiry),
      ])
    if claimed.affectedRows == 1 { return .first }
    let found = try await query(SQL.requestFind, [.id(business), .text(mutation.method), .text(request.id)])
    // A purge may have taken it between the two statements; whoever sends again claims it.
    guard let row = found.rows.first else { throw DomainError.aborted }
    guard try row.digest(0) == request.fingerprint else { throw DomainError.requestIDReused }
    return .repeated(try row.uuid(1))
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
