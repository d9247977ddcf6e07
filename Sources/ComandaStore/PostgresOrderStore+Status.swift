public import ComandaDomain
import ComandaPostgres
import FoundationEssentials

extension PostgresOrderStore {
  /// Locks the order, decides, and writes with the commit: two round trips.
  public func changeStatus(
    _ change: StatusChange, of business: BusinessID, by mutation: Mutation
  ) async throws -> Order {
    try await errors.translating {
      try await pool.withConnection(.interactive, for: business.uuid) { connection in
        try await connection.transaction { try await move(change, of: business, by: mutation, on: $0) }
      }
    }
  }

  private nonisolated(nonsending) func move(
    _ change: StatusChange, of business: BusinessID, by mutation: Mutation, on connection: PostgresConnection
  ) async throws -> Order {
    let key: [Parameter] = [.id(business), .id(change.orderID)]
    let opening = try await connection.pipeline(
      [(SQL.settingsLeased, [])]
        + RequestClaim.statements(mutation, in: business, response: change.orderID.uuid) + [(SQL.orderLock, key)])
    guard let locked = opening.last?.rows.first else { throw DomainError.notFound(.order, id: "\(change.orderID)") }
    var closing: [(Statement, [Parameter])] = []
    if case .first = try RequestClaim(opening.dropFirst().dropLast(), of: mutation) {
      closing = try writes(change, of: business, by: mutation, to: locked)
    }
    closing.append((SQL.orderFind, key))
    let found = try await connection.commit(with: closing)
    return try known(found.last?.rows.first).order(of: business)
  }

  /// Decides whether the order, as `order_lock.sql` has found it, may go there, and says what is to be written.
  private func writes(
    _ change: StatusChange, of business: BusinessID, by mutation: Mutation, to order: Row
  ) throws -> [(Statement, [Parameter])] {
    let from: OrderStatus = try order.value(0)
    let revision = try order.int32(2)
    if let expected = change.expectedRevision, expected != revision {
      throw DomainError.etagMismatch(current: "\(revision)")
    }
    do {
      try from.checkMove(to: change.to, isPickup: try order.int16(1) == StoredFulfilment.pickup.rawValue)
    } catch let error as IllegalMove {
      throw DomainError.illegalMove(error)
    }
    let (next, overflow) = revision.addingReportingOverflow(1)
    guard !overflow else { throw UnknownStoredValue() }
    let key: [Parameter] = [.id(business), .id(change.orderID)]
    var writes: [(Statement, [Parameter])] = [
      (SQL.orderMove, key + [.int2(change.to.rawValue), .time(mutation.at)])
    ]
    if change.to == .canceled {
      writes += [(SQL.orderCancelPayments, key), (SQL.orderCancelNotifications, key)]
    }
    // The business's other writers wait from its counter to the commit.
    writes += [
      (SQL.orderMoveCounter, [.id(business)]),
      (
        SQL.orderMoved,
        key + [
          .id(mutation.actor), .time(mutation.at), .int4(next), .int2(from.rawValue), .int2(change.to.rawValue),
          .text(change.reason),
        ]
      ),
      (
        SQL.auditAppend,
        [
          .id(business), .id(mutation.actor), .id(change.orderID), .time(mutation.at), .text(mutation.method),
          .text(mutation.request?.id ?? ""), .json(#"{"from":\#(from.rawValue),"to":\#(change.to.rawValue)}"#),
        ]
      ),
    ]
    return writes
  }
}
