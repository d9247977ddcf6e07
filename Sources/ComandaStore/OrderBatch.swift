import ComandaDomain
import ComandaPostgres
import FoundationEssentials

/// New orders of one business on their way into one transaction: a column an array, as `unnest` takes them.
///
/// Whether it holds one order or a hundred, it is the same nine statements in one round trip.
struct OrderBatch {
  private let business: BusinessID
  private let method: String
  private let at: Timestamp
  private var orders: [(order: NewOrder, mutation: Mutation)] = []

  init(business: BusinessID, method: String, at: Timestamp) {
    self.business = business
    self.method = method
    self.at = at
  }

  mutating func append(_ order: NewOrder, by mutation: Mutation) {
    orders.append((order, mutation))
  }

  /// What became of one order of the batch.
  enum Outcome: Equatable {
    case created
    case sameRequest(OrderID)
    case unchanged(OrderID)
    case contentDiffers(OrderID)
    case requestIDReused
    case businessMissing
  }

  /// The statements, between BEGIN and COMMIT; the last one's result is for ``outcomes(_:)``.
  var statements: [(Statement, [Parameter])] {
    let ids = Parameter.uuidArray(orders.map(\.order.id.uuid))
    let actors = Parameter.uuidArray(orders.map(\.mutation.actor.uuid))
    let requestIDs = Parameter.textArray(orders.map { $0.mutation.request?.id ?? "" })
    var statements: [(Statement, [Parameter])] = []
    if orders.contains(where: { $0.mutation.request != nil }) {
      statements.append((SQL.orderRequests, requestParameters(ids: ids, requestIDs: requestIDs)))
    }
    statements += [
      (SQL.orderInsert, orderParameters(ids: ids, requestIDs: requestIDs)),
      (SQL.orderItems, itemParameters),
      (SQL.orderPayments, [.id(business), ids]),
      (SQL.orderNotifications, [.id(business), ids]),
      (SQL.orderCounter, [.id(business), ids]),
      (SQL.orderCreated, [.id(business), ids, actors]),
      (SQL.orderAudit, [.id(business), ids, actors, .text(method), requestIDs]),
      (
        SQL.orderResults,
        [.id(business), .text(method), .textArray(orders.map(\.order.content.externalID)), requestIDs]
      ),
    ]
    return statements
  }

  private func requestParameters(ids: Parameter, requestIDs: Parameter) -> [Parameter] {
    [
      .id(business), .text(method), requestIDs,
      .byteaArray(orders.map { $0.mutation.request?.fingerprint.bytes ?? [] }), ids,
      .float8(Double(RequestKey.rememberedSeconds)),
    ]
  }

  private func orderParameters(ids: Parameter, requestIDs: Parameter) -> [Parameter] {
    let contents = orders.map(\.order.content)
    return [
      .id(business), .time(at), .text(method), ids,
      .timestampArray(contents.map(\.placedAt.microseconds)),
      .int8Array(contents.map(\.cost.subtotal)),
      .int8Array(contents.map(\.cost.delivery)),
      .int8Array(contents.map(\.cost.total)),
      .int4Array(contents.map { Int32(clamping: $0.items.count) }),
      .int2Array(contents.map { StoredFulfilment($0.fulfilment).rawValue }),
      .int2Array(contents.map(\.paymentMethod.rawValue)),
      .int2Array(contents.map(\.notificationChannel.rawValue)),
      .int2Array(orders.map(\.order.fingerprint.version)),
      .byteaArray(orders.map(\.order.fingerprint.digest.bytes)),
      .textArray(contents.map(\.cost.currency.code)),
      .textArray(contents.map(\.externalID)),
      .textArray(contents.map(\.customer.name)),
      .textArray(contents.map(\.customer.phone)),
      .textArray(contents.map(\.customer.email)),
      .textArray(contents.map(\.fulfilment.place.address)),
      .textArray(contents.map(\.fulfilment.place.instructions)),
      .textArray(contents.map(\.note)),
      requestIDs,
    ]
  }

  private var itemParameters: [Parameter] {
    let items = orders.flatMap { entry in
      // bounded: an order has at most 500 items
      entry.order.content.items.enumerated().map { (order: entry.order.id, line: Int32(clamping: $0 + 1), item: $1) }
    }
    return [
      .id(business),
      .uuidArray(items.map(\.order.uuid)),
      .int4Array(items.map(\.line)),
      .int8Array(items.map(\.item.quantity.thousandths)),
      .int8Array(items.map(\.item.unitPrice)),
      .int8Array(items.map(\.item.total)),
      .textArray(items.map(\.item.name)),
      .textArray(items.map(\.item.sku)),
      .textArray(items.map(\.item.note)),
    ]
  }

  /// Reads the result of the last statement: an outcome for each order, in their order.
  func outcomes(_ result: QueryResult) throws -> [Outcome] {
    var outcomes = [Outcome?](repeating: nil, count: orders.count)
    for row in result.rows {
      guard let ordinal = Int(exactly: try row.int64(0)), ordinal >= 1, ordinal <= orders.count else {
        throw UnknownStoredValue()
      }
      let position = ordinal - 1  // bounded: between 1 and the number of orders
      outcomes[position] = try outcome(of: orders[position], row)  // bounded: as before
    }
    return try outcomes.map { try known($0) }
  }

  private func outcome(of entry: (order: NewOrder, mutation: Mutation), _ row: Row) throws -> Outcome {
    let existing: OrderID? = try row.idOrNil(1)
    if existing == entry.order.id { return .created }
    var isRepetition = false
    if let request = entry.mutation.request {
      guard try row.digestOrNil(3) == request.fingerprint else { return .requestIDReused }
      isRepetition = try row.uuidOrNil(4) != entry.order.id.uuid
    }
    guard let existing else { return .businessMissing }
    guard try row.digestOrNil(2) == entry.order.fingerprint.digest else { return .contentDiffers(existing) }
    return isRepetition ? .sameRequest(existing) : .unchanged(existing)
  }
}
