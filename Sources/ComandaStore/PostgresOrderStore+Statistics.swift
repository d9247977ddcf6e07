public import ComandaDomain
import ComandaPostgres

extension PostgresOrderStore {
  /// On a connection of its own, since it reads every order that the filter lets through.
  public func statistics(_ filter: OrderFilter, of business: BusinessID) async throws -> OrderStatistics {
    let parameters: [Parameter] = [
      .id(business), filter.statusNumbers, .time(filter.placedFrom ?? Timestamp.representable.lowerBound),
      .time(filter.placedBefore ?? Timestamp.representable.upperBound), .orNull(filter.importID) { .id($0) },
      .text(filter.customerPattern), .text(filter.textPattern),
    ]
    return try await errors.translatingReport {
      let result = try await pool.withConnection(.reports, for: business.uuid) { connection in
        try await connection.query(SQL.orderStatistics, parameters)
      }
      var (orders, items): (Int64, Int64) = (0, 0)
      var byStatus: [OrderStatus: Int64] = [:]
      var totals: [Currency: Int64] = [:]
      for row in result.rows {
        let count = try row.int64(2)
        orders = orders.addingSaturated(count)
        items = items.addingSaturated(try row.int64(3))
        let status: OrderStatus = try row.value(0)
        byStatus[status] = byStatus[status, default: 0].addingSaturated(count)
        let currency = try row.currency(1)
        totals[currency] = totals[currency, default: 0].addingSaturated(try row.int64(4))
      }
      return OrderStatistics(orders: orders, items: items, byStatus: byStatus, totals: totals)
    }
  }
}
