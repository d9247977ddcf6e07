import ComandaDomain
import ComandaPostgres

/// What one answer holds of the orders that a statement gives.
struct OrderPage {
  let orders: [Order]
  /// Whether the statement gave no more.
  let isComplete: Bool

  /// What an answer may hold, in bytes of the rows' values, unless a single order has more. An answer of ordinary orders
  /// never gets there; one of large ones stays well below what a message may have.
  static let byteLimit = 1_024 * 1_024
}

extension PostgresConnection {
  /// Reads orders one by one, and no further than an answer may go: the rest is not even sent by the database.
  ///
  /// - Parameter limit: Most orders wanted.
  nonisolated(nonsending) func orders(
    _ statement: Statement, _ parameters: [Parameter], of business: BusinessID, limit: Int
  ) async throws -> OrderPage {
    var orders: [Order] = []
    var room = OrderPage.byteLimit
    var isComplete = true
    for try await row in stream(statement, parameters) {
      let size = row.byteCount
      if size > room, !orders.isEmpty { return OrderPage(orders: orders, isComplete: false) }
      if orders.count < limit {
        orders.append(try row.order(of: business))
        room = max(0, room - size)  // bounded: the size of a row that is in memory
      } else {
        // One more than wanted, and the statement's last: to leave the stream before its end would cost a cancel request.
        isComplete = false
      }
    }
    return OrderPage(orders: orders, isComplete: isComplete)
  }
}
