public import ComandaDomain
import ComandaPostgres
import FoundationEssentials

extension PostgresOrderStore {
  /// One transaction in one round trip; nothing is decided in between.
  public func create(
    _ order: NewOrder, in business: BusinessID, by mutation: Mutation
  ) async throws -> OrderCreation {
    try await errors.translating {
      var batch = OrderBatch(business: business, method: mutation.method, at: mutation.at)
      batch.append(order, by: mutation)
      let outcomes = try await create(batch)
      guard let outcome = outcomes.first else { throw DomainError.fault }
      switch outcome {
      case .created: return .created(order.created(in: business, at: mutation.at))
      case .sameRequest(let id): return .sameRequest(try await existing(id, of: business))
      case .unchanged(let id): return .unchanged(try await existing(id, of: business))
      case .contentDiffers(let id): return .contentDiffers(existing: id)
      case .requestIDReused: return .requestIDReused
      case .businessMissing: throw DomainError.notFound(.business, id: "\(business)")
      }
    }
  }

  /// Creates orders of one business in one transaction of one round trip, on a shared connection; where a lock is in the
  /// way, on a connection of its own.
  private func create(_ batch: OrderBatch) async throws -> [OrderBatch.Outcome] {
    do {
      let results = try await pool.transaction([(SQL.settingsShared, [])] + batch.statements)
      return try batch.outcomes(known(results.last))
    } catch let error as PostgresError where error.sqlState == .lockNotAvailable {
      let results = try await pool.withConnection { connection in
        try await connection.transaction { try await $0.pipeline([(SQL.settingsLeased, [])] + batch.statements) }
      }
      return try batch.outcomes(known(results.last))
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
