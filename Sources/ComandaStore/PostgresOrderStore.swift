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
      try await pool.query(SQL.orderFind, [.id(business), .id(id)], for: business.uuid).rows.first?.order(of: business)
    }
  }

  /// One statement on a shared connection, by the unique index of the external ids.
  public func order(externalID: String, of business: BusinessID) async throws -> Order? {
    try await errors.translating {
      let result = try await pool.query(
        SQL.orderFindExternal, [.id(business), .text(externalID)], for: business.uuid)
      return try result.rows.first?.order(of: business)
    }
  }

  /// On a connection of its own, since it may read megabytes.
  public func orders(
    _ ids: [OrderID], of business: BusinessID
  ) async throws -> (found: [Order], deferred: [OrderID]) {
    var known: Set<OrderID> = []
    let distinct = ids.filter { known.insert($0).inserted }
    return try await errors.translatingReport {
      let page = try await pool.withConnection(.reports, for: business.uuid) { connection in
        try await connection.orders(
          SQL.orderFindBatch, [.id(business), .uuidArray(distinct.map(\.uuid))], of: business, limit: distinct.count)
      }
      let byID = Dictionary(page.orders.map { ($0.id, $0) }) { first, _ in first }
      return (
        found: distinct.compactMap { byID[$0] },
        deferred: page.isComplete ? [] : distinct.filter { byID[$0] == nil }
      )
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
      // bounded: a page has at most 1,000 orders
      .time(before.placedAt), .id(before.id), .int8(Int64(page.size) + 1), .orNull(filter.importID) { .id($0) },
      .text(filter.customerPattern), .text(filter.textPattern),
    ]
    return try await errors.translatingReport {
      let read = try await pool.withConnection(.reports, for: business.uuid) { connection in
        try await connection.orders(SQL.orderList, parameters, of: business, limit: page.size)
      }
      let next = read.isComplete ? nil : read.orders.last
      return Page(elements: read.orders, next: next.map { OrderCursor(placedAt: $0.content.placedAt, id: $0.id) })
    }
  }

  /// One statement on a shared connection.
  public func history(of id: OrderID, of business: BusinessID) async throws -> [OrderEvent] {
    try await errors.translating {
      let result = try await pool.query(SQL.orderHistory, [.id(business), .id(id)], for: business.uuid)
      return try result.rows.map { row in
        OrderEvent(
          sequence: try row.int64(0), orderID: id, revision: try row.int32(1),
          from: try row.isNull(2) ? nil : row.value(2), to: try row.value(3), at: try row.time(4),
          actor: try row.id(5), reason: try row.text(6))
      }
    }
  }
}

extension OrderFilter {
  var statusNumbers: Parameter {
    .int2Array((statuses.isEmpty ? Set(OrderStatus.allCases) : statuses).map(\.rawValue).sorted())
  }

  var customerPattern: String { customerPrefix.isEmpty ? "" : escapedForLike(customerPrefix) + "%" }

  var textPattern: String { text.isEmpty ? "" : "%" + escapedForLike(text) + "%" }
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
