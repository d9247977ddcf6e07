public import ComandaDomain
import ComandaPostgres
import FoundationEssentials

extension PostgresOrderStore {
  /// One transaction in one round trip, shared with the orders that others create at the same time.
  public func create(
    _ order: NewOrder, in business: BusinessID, by mutation: Mutation
  ) async throws -> OrderCreation {
    let commitment = try await committer.commit(order, in: business, by: mutation)
    switch commitment.outcome {
    case .created: return .created(order.created(in: business, at: commitment.at))
    case .sameRequest(let id): return .sameRequest(try await existing(id, of: business))
    case .unchanged(let id): return .unchanged(try await existing(id, of: business))
    case .contentDiffers(let id): return .contentDiffers(existing: id)
    case .requestIDReused: return .requestIDReused
    case .businessMissing: throw DomainError.notFound(.business, id: "\(business)")
    }
  }

  private func existing(_ id: OrderID, of business: BusinessID) async throws -> Order {
    guard let order = try await order(id, of: business) else { throw DomainError.aborted }
    return order
  }
}

extension NewOrder {
  fileprivate func created(in business: BusinessID, at time: Timestamp) -> Order {
    Order(
      id: id, businessID: business, status: .pending, revision: 1, content: content, origin: nil, createdAt: time,
      updatedAt: time)
  }
}
