public import ComandaDomain
public import ComandaPostgres
import FoundationEssentials
public import Logging

/// Orders in PostgreSQL.
public struct PostgresOrderStore: OrderStore {
  let pool: PostgresPool
  let errors: StoreErrors
  let committer: OrderCommitter

  /// Makes a store over a database whose schema is up to date.
  public init(pool: PostgresPool, logger: Logger) {
    self.pool = pool
    self.errors = StoreErrors(logger: logger)
    self.committer = OrderCommitter(pool: pool, errors: errors)
  }

  /// One statement on a shared connection.
  public func order(_ id: OrderID, of business: BusinessID) async throws -> Order? {
    try await errors.translating {
      try await pool.query(SQL.orderFind, [.id(business), .id(id)]).rows.first?.order(of: business)
    }
  }

  /// One statement on a shared connection, by the unique index of the external ids.
  public func order(externalID: String, of business: BusinessID) async throws -> Order? {
    try await errors.translating {
      let result = try await pool.query(SQL.orderFindExternal, [.id(business), .text(externalID)])
      return try result.rows.first?.order(of: business)
    }
  }

  /// One statement on a shared connection, however many ids.
  public func orders(_ ids: [OrderID], of business: BusinessID) async throws -> [Order] {
    try await errors.translating {
      let result = try await pool.query(SQL.orderFindBatch, [.id(business), .uuidArray(ids.map(\.uuid))])
      var found: [OrderID: Order] = [:]
      for row in result.rows {
        let order = try row.order(of: business)
        found[order.id] = order
      }
      return ids.compactMap { found[$0] }
    }
  }

  /// On a connection of its own, since a filter by text may be slow.
  public func list(
    _ filter: OrderFilter, of business: BusinessID, page: PageRequest<OrderCursor>
  ) async throws -> Page<Order, OrderCursor> {
    // The place before which the page lies, exclusive: the cursor, or the end of the time range, before every id of it.
    let end = OrderCursor(
      placedAt: filter.placedBefore ?? Timestamp.representable.upperBound,
      id: OrderID(UUID(high: 0, low: 0)))
    let before = page.after.map { $0.placedAt < end.placedAt ? $0 : end } ?? end
    let parameters: [Parameter] = [
      .id(business), filter.statusNumbers, .time(filter.placedFrom ?? Timestamp.representable.lowerBound),
      .time(before.placedAt), .id(before.id), .int8(Int64(page.size) + 1), .orNull(filter.importID) { .id($0) },
      .text(filter.customerPattern), .text(filter.textPattern),
    ]
    return try await errors.translating {
      let result = try await pool.withConnection { try await $0.query(SQL.orderList, parameters) }
      let orders = try result.rows.prefix(page.size).map { try $0.order(of: business) }
      let next = result.rows.count > page.size ? orders.last : nil
      return Page(elements: orders, next: next.map { OrderCursor(placedAt: $0.content.placedAt, id: $0.id) })
    }
  }

  /// On a connection of its own, since it reads every order that the filter lets through.
  public func statistics(_ filter: OrderFilter, of business: BusinessID) async throws -> OrderStatistics {
    let parameters: [Parameter] = [
      .id(business), filter.statusNumbers, .time(filter.placedFrom ?? Timestamp.representable.lowerBound),
      .time(filter.placedBefore ?? Timestamp.representable.upperBound), .orNull(filter.importID) { .id($0) },
      .text(filter.customerPattern), .text(filter.textPattern),
    ]
    return try await errors.translating {
      let result = try await pool.withConnection { try await $0.query(SQL.orderStatistics, parameters) }
      var (orders, items): (Int64, Int64) = (0, 0)
      var byStatus: [OrderStatus: Int64] = [:]
      var totals: [Currency: Int64] = [:]
      for row in result.rows {
        let count = try row.int64(2)
        orders += count
        items += try row.int64(3)
        byStatus[try row.value(0), default: 0] += count
        totals[try row.currency(1), default: 0] += try row.int64(4)
      }
      return OrderStatistics(orders: orders, items: items, byStatus: byStatus, totals: totals)
    }
  }

  /// Locks the order, decides, and writes: three round trips.
  public func changeStatus(
    _ change: StatusChange, of business: BusinessID, by mutation: Mutation
  ) async throws -> Order {
    try await errors.translating {
      try await pool.withConnection { connection in
        try await connection.transaction { try await move(change, of: business, by: mutation, on: $0) }
      }
    }
  }

  /// One statement on a shared connection.
  public func history(of id: OrderID, of business: BusinessID) async throws -> [OrderEvent] {
    try await errors.translating {
      let result = try await pool.query(SQL.orderHistory, [.id(business), .id(id)])
      return try result.rows.map { row in
        OrderEvent(
          sequence: try row.int64(0), orderID: id, revision: try row.int32(1),
          from: try row.isNull(2) ? nil : row.value(2), to: try row.value(3), at: try row.time(4),
          actor: try row.id(5), reason: try row.text(6))
      }
    }
  }

  private nonisolated(nonsending) func move(
    _ change: StatusChange, of business: BusinessID, by mutation: Mutation, on connection: PostgresConnection
  ) async throws -> Order {
    let key: [Parameter] = [.id(business), .id(change.orderID)]
    if case .first = try await connection.claim(mutation, in: business, response: change.orderID.uuid) {
      let locked = try await connection.query(SQL.orderLock, key)
      guard let row = locked.rows.first else { throw DomainError.notFound(.order, id: "\(change.orderID)") }
      let from: OrderStatus = try row.value(0)
      let revision = try row.int32(2)
      if let expected = change.expectedRevision, expected != revision {
        throw DomainError.etagMismatch(current: "\(revision)")
      }
      do {
        try from.checkMove(to: change.to, isPickup: try row.int16(1) == StoredFulfilment.pickup.rawValue)
      } catch let error as IllegalMove {
        throw DomainError.illegalMove(error)
      }
      _ = try await connection.pipeline(
        [
          (SQL.orderMove, key + [.int2(change.to.rawValue), .time(mutation.at)]),
          (SQL.orderMoveCounter, [.id(business)]),
          (
            SQL.orderMoved,
            key + [
              .id(mutation.actor), .time(mutation.at), .int4(revision + 1), .int2(from.rawValue),
              .int2(change.to.rawValue), .text(change.reason),
            ]
          ),
          (
            SQL.auditAppend,
            [
              .id(business), .id(mutation.actor), .id(change.orderID), .time(mutation.at), .text(mutation.method),
              .text(mutation.request?.id ?? ""), .json(#"{"from":\#(from.rawValue),"to":\#(change.to.rawValue)}"#),
            ]
          ),
        ])
    }
    let found = try await connection.query(SQL.orderFind, key)
    guard let row = found.rows.first else { throw DomainError.notFound(.order, id: "\(change.orderID)") }
    return try row.order(of: business)
  }
}

extension OrderFilter {
  fileprivate var statusNumbers: Parameter {
    .int2Array((statuses.isEmpty ? Set(OrderStatus.allCases) : statuses).map(\.rawValue).sorted())
  }

  fileprivate var customerPattern: String { customerPrefix.isEmpty ? "" : escapedForLike(customerPrefix) + "%" }

  fileprivate var textPattern: String { text.isEmpty ? "" : "%" + escapedForLike(text) + "%" }
}

/// The text as a pattern of LIKE that matches nothing but itself.
private func escapedForLike(_ text: String) -> String {
  var escaped = ""
  for character in text.unicodeScalars {
    if character == "%" || character == "_" || character == "\\" { escaped.unicodeScalars.append("\\") }
    escaped.unicodeScalars.append(character)
  }
  return escaped
}
