import ComandaDomain
import ComandaProtos
import ComandaRPC

/// Orders of one business: `comanda.v1.OrderService`.
public struct OrderService: Comanda_V1_OrderService.Server {
  private let orders: any OrderStore
  private let environment: ServiceEnvironment

  /// Methods of the schema that this server does not serve yet: register them as withheld.
  public static let withheld = [
    Comanda_V1_OrderService.Method.batchCreateOrders, Comanda_V1_OrderService.Method.watchOrders,
    Comanda_V1_OrderService.Method.acknowledgeOrders,
  ]

  /// A service over these orders.
  public init(orders: any OrderStore, environment: ServiceEnvironment) {
    self.orders = orders
    self.environment = environment
  }

  /// Creates an order.
  public func createOrder(
    _ request: Comanda_V1_CreateOrderRequest, context: ServerContext
  ) async throws -> Comanda_V1_Order {
    let business = try context.business()
    let mutation = try environment.mutation(
      request, requestID: request.requestID, isRequired: false, in: context)
    let order = try newOrder(OrderDraft(request.order), at: mutation.at)
    switch try await orders.create(order, in: business, by: mutation) {
    case .created(let order), .sameRequest(let order), .unchanged(let order): return Comanda_V1_Order(order)
    case .contentDiffers(let existing): throw DomainError.contentDiffers(existing: existing)
    case .requestIDReused: throw DomainError.requestIDReused
    }
  }

  private func newOrder(_ draft: OrderDraft, at now: Timestamp) throws -> NewOrder {
    do {
      let content = try draft.validated(now: now)
      var scratch: [UInt8] = []
      var random = SystemRandomNumberGenerator()
      return NewOrder(
        id: OrderID.make(at: now, using: &random), content: content,
        fingerprint: ContentFingerprint(of: content, scratch: &scratch, sha256: environment.sha256))
    } catch {
      throw DomainError.invalid(error.violations)
    }
  }

  /// Reads an order.
  public func getOrder(
    _ request: Comanda_V1_GetOrderRequest, context: ServerContext
  ) async throws -> Comanda_V1_Order {
    let business = try context.business()
    let order: Order?
    let key: String
    switch request.key {
    case .orderID(let text):
      key = text
      order = try await orders.order(try OrderID(text, field: "order_id"), of: business)
    case .externalID(let text):
      key = text
      order = try await orders.order(externalID: ExternalID.normalized(text), of: business)
    case nil:
      throw DomainError.invalid([.missing("order_id", expected: "order_id or external_id")])
    }
    guard let order else { throw DomainError.notFound(.order, id: key) }
    return Comanda_V1_Order(order)
  }

  /// Reads several orders.
  public func batchGetOrders(
    _ request: Comanda_V1_BatchGetOrdersRequest, context: ServerContext
  ) async throws -> Comanda_V1_BatchGetOrdersResponse {
    let business = try context.business()
    let count = request.orderIds.count
    guard (1...1_000).contains(count) else {
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: "order_ids", problem: .outOfRange(value: "\(count) ids", allowed: "1 to 1000 ids"))
      ])
    }
    let ids = try request.orderIds.enumerated().map { try OrderID($1, field: "order_ids[\($0)]") }
    let (found, deferred) = try await orders.orders(ids, of: business)
    var missing = Set(ids)
    missing.subtract(found.map(\.id))
    missing.subtract(deferred)
    return .with {
      $0.orders = found.map(Comanda_V1_Order.init)
      $0.missingOrderIds = missing.sorted().map(\.description)
      $0.deferredOrderIds = deferred.map(\.description)
    }
  }

  /// Lists orders by the moment they were placed, the latest first.
  public func listOrders(
    _ request: Comanda_V1_ListOrdersRequest, context: ServerContext
  ) async throws -> Comanda_V1_ListOrdersResponse {
    let business = try context.business()
    let filter = try OrderFilter(request.filter)
    let tokens = try PageToken(
      business: business, method: context.method, filter: request.filter, environment: environment)
    let after = try request.pageToken.isEmpty ? nil : OrderCursor(bytes: tokens.place(request.pageToken))
    if !request.pageToken.isEmpty, after == nil { throw PageToken.foreign }
    let page = try await orders.list(
      filter, of: business, page: PageRequest(size: try pageSize(request.pageSize), after: after))
    return .with {
      $0.orders = page.elements.map(Comanda_V1_Order.init)
      $0.nextPageToken = page.next.map { tokens.text($0.bytes) } ?? ""
    }
  }

  /// Counts and adds up orders, in the store.
  public func getOrderStatistics(
    _ request: Comanda_V1_GetOrderStatisticsRequest, context: ServerContext
  ) async throws -> Comanda_V1_OrderStatistics {
    let business = try context.business()
    return Comanda_V1_OrderStatistics(
      try await orders.statistics(try OrderFilter(request.filter), of: business))
  }

  /// Moves an order to its next status.
  public func updateOrderStatus(
    _ request: Comanda_V1_UpdateOrderStatusRequest, context: ServerContext
  ) async throws -> Comanda_V1_Order {
    let mutation = try environment.mutation(request, requestID: request.requestID, isRequired: true, in: context)
    guard let status = OrderStatus(schemaNumber: request.status.rawValue), status != .canceled else {
      let legal = OrderStatus.allCases.filter { $0 != .canceled }.map(\.schemaName)
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: "status", problem: .unknownValue(given: "\(request.status)", allowed: legal))
      ])
    }
    let change = try StatusChange(
      orderID: OrderID(request.orderID, field: "order_id"), to: status,
      expectedRevision: revision(etag: request.etag), reason: request.reason)
    return Comanda_V1_Order(try await orders.changeStatus(change, of: context.business(), by: mutation))
  }

  /// Cancels an order that is not out for delivery yet.
  public func cancelOrder(
    _ request: Comanda_V1_CancelOrderRequest, context: ServerContext
  ) async throws -> Comanda_V1_Order {
    let mutation = try environment.mutation(request, requestID: request.requestID, isRequired: true, in: context)
    let change = try StatusChange(
      orderID: OrderID(request.orderID, field: "order_id"), to: .canceled,
      expectedRevision: revision(etag: request.etag), reason: request.reason)
    return Comanda_V1_Order(try await orders.changeStatus(change, of: context.business(), by: mutation))
  }

  private func revision(etag: String) throws -> Int32? {
    if etag.isEmpty { return nil }
    guard let revision = Int32(etag) else {
      throw DomainError.invalid([
        ComandaDomain.FieldViolation(
          field: "etag", problem: .malformed(expected: "the etag of the order as it was read"))
      ])
    }
    return revision
  }

  /// Lists the events of one order.
  public func listOrderEvents(
    _ request: Comanda_V1_ListOrderEventsRequest, context: ServerContext
  ) async throws -> Comanda_V1_ListOrderEventsResponse {
    let business = try context.business()
    guard request.pageToken.isEmpty else { throw PageToken.foreign }
    let events = try await orders.history(of: OrderID(request.orderID, field: "order_id"), of: business)
    guard !events.isEmpty else { throw DomainError.notFound(.order, id: request.orderID) }
    return .with { $0.events = events.map(Comanda_V1_OrderEvent.init) }
  }

  /// Not offered yet.
  public func batchCreateOrders(
    _ request: Comanda_V1_BatchCreateOrdersRequest, context: ServerContext
  ) async throws -> Comanda_V1_BatchCreateOrdersResponse {
    throw RPCError.notOffered(context.method)
  }

  /// Not offered yet.
  public func watchOrders(
    _ request: Comanda_V1_WatchOrdersRequest, responses: ResponseWriter<Comanda_V1_WatchOrdersResponse>,
    context: ServerContext
  ) async throws {
    throw RPCError.notOffered(context.method)
  }

  /// Not offered yet.
  public func acknowledgeOrders(
    _ request: Comanda_V1_AcknowledgeOrdersRequest, context: ServerContext
  ) async throws -> Comanda_V1_AcknowledgeOrdersResponse {
    throw RPCError.notOffered(context.method)
  }
}

/// The size of a page: 50 where nothing is said.
func pageSize(_ size: Int32) throws -> Int {
  guard (0...1_000).contains(size) else {
    throw DomainError.invalid([
      ComandaDomain.FieldViolation(field: "page_size", problem: .outOfRange(value: "\(size)", allowed: "0 to 1000"))
    ])
  }
  return size == 0 ? 50 : Int(size)
}

extension Identifier {
  /// The id of a request's field.
  /// - Throws: `DomainError` naming the field.
  init(_ text: String, field: String) throws {
    guard let id = Self(text) else {
      throw DomainError.invalid([
        text.isEmpty
          ? .missing(field, expected: "an id: a UUID")
          : ComandaDomain.FieldViolation(field: field, problem: .malformed(expected: "a UUID in its 36-character form"))
      ])
    }
    self = id
  }
}

extension ComandaDomain.FieldViolation {
  static func missing(_ field: String, expected: String) -> ComandaDomain.FieldViolation {
    ComandaDomain.FieldViolation(field: field, problem: .missing(expected: expected))
  }
}
