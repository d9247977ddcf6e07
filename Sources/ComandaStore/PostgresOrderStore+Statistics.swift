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
        orders.addSaturating(count)
        items.addSaturating(try row.int64(3))
        byStatus[try row.value(0), default: 0].addSaturating(count)
        totals[try row.currency(1), default: 0].addSaturating(try row.int64(4))
      }
      return OrderStatistics(orders: orders, items: items, byStatus: byStatus, totals: totals)
    }
  }
}

extension Int64 {
  /// Adds what ends at the largest and the smallest value rather than beyond it.
  fileprivate mutating func addSaturating(_ other: Int64) {
    let (sum, overflow) = addingReportingOverflow(other)
    self = overflow ? (other < 0 ? .min : .max) : sum
  }
}
