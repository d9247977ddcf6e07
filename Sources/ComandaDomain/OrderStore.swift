/// Where orders are kept. Every call works inside one business; what belongs to another is not there.
///
/// All calls throw ``DomainError``, or `CancellationError` when the calling task was cancelled.
public protocol OrderStore: Sendable {
  /// Creates an order with its lines, its history, its intents and an audit record, in one transaction; answers after
  /// the commit.
  func create(_ order: NewOrder, in business: BusinessID, by mutation: Mutation) async throws -> OrderCreation

  /// The order, or nil.
  func order(_ id: OrderID, of business: BusinessID) async throws -> Order?

  /// The order with the business's own id, or nil.
  func order(externalID: String, of business: BusinessID) async throws -> Order?

  /// The orders among these ids, each once and in the order of the ids; what does not exist is left out.
  ///
  /// - Returns: At least one order where any exists, and of large ones no more than an answer may hold; `deferred` are the
  ///   ids that were left for another call.
  func orders(_ ids: [OrderID], of business: BusinessID) async throws -> (found: [Order], deferred: [OrderID])

  /// Orders by `placedAt`, the newest first. A page of large orders may end before it has as many as were asked for.
  func list(
    _ filter: OrderFilter, of business: BusinessID, page: PageRequest<OrderCursor>
  ) async throws -> Page<Order, OrderCursor>

  /// Counts and sums over the orders that the filter lets through.
  func statistics(_ filter: OrderFilter, of business: BusinessID) async throws -> OrderStatistics

  /// Moves an order on and appends to its history.
  ///
  /// - Throws: ``DomainError/notFound(_:id:)``, ``DomainError/illegalMove(_:)``, ``DomainError/etagMismatch(current:)``.
  func changeStatus(_ change: StatusChange, of business: BusinessID, by mutation: Mutation) async throws -> Order

  /// The history of an order, the oldest entry first; empty when there is no such order.
  func history(of id: OrderID, of business: BusinessID) async throws -> [OrderEvent]
}

/// An order about to be created.
public struct NewOrder: Hashable, Sendable {
  /// The id that it gets.
  public let id: OrderID
  /// What was ordered.
  public let content: ValidatedOrder
  /// The fingerprint of the content.
  public let fingerprint: ContentFingerprint

  /// Makes a new order.
  public init(id: OrderID, content: ValidatedOrder, fingerprint: ContentFingerprint) {
    self.id = id
    self.content = content
    self.fingerprint = fingerprint
  }
}

/// What became of a call that creates an order.
public enum OrderCreation: Hashable, Sendable {
  /// It was created.
  case created(Order)
  /// This very request was answered before; the order as it is now.
  case sameRequest(Order)
  /// An order with this external id and the same content was there; nothing was written.
  case unchanged(Order)
  /// An order with this external id and other content was there; nothing was written.
  case contentDiffers(existing: OrderID)
  /// The request id was used for another request; nothing was written.
  case requestIDReused
}

/// Which orders a list or statistics are about.
public struct OrderFilter: Hashable, Sendable {
  /// Only these statuses; all when empty.
  public var statuses: Set<OrderStatus>
  /// Only orders placed at or after this moment.
  public var placedFrom: Timestamp?
  /// Only orders placed before this moment.
  public var placedBefore: Timestamp?
  /// Only orders that this import brought.
  public var importID: ImportID?
  /// Only orders whose customer's name, phone or e-mail address begins with this, whatever the case; any when empty.
  public var customerPrefix: String
  /// Only orders whose external id, note, or an item's name or note, contains this, whatever the case; any when empty.
  public var text: String

  /// Makes a filter that lets through what is not restricted.
  public init(
    statuses: Set<OrderStatus> = [], placedFrom: Timestamp? = nil, placedBefore: Timestamp? = nil,
    importID: ImportID? = nil, customerPrefix: String = "", text: String = ""
  ) {
    self.statuses = statuses
    self.placedFrom = placedFrom
    self.placedBefore = placedBefore
    self.importID = importID
    self.customerPrefix = customerPrefix
    self.text = text
  }
}

/// A place in a list of orders.
public struct OrderCursor: Hashable, Sendable {
  /// When the last order before the place was placed.
  public let placedAt: Timestamp
  /// Its id, which decides between orders of one moment.
  public let id: OrderID

  /// Makes a cursor.
  public init(placedAt: Timestamp, id: OrderID) {
    self.placedAt = placedAt
    self.id = id
  }
}

/// A wish to move an order on.
public struct StatusChange: Hashable, Sendable {
  /// The order.
  public let orderID: OrderID
  /// Where it is to go.
  public let to: OrderStatus
  /// The revision that the caller has seen; any when nil.
  public let expectedRevision: Int32?
  /// Why, in the caller's words; empty for none.
  public let reason: String

  /// Makes a change.
  public init(orderID: OrderID, to: OrderStatus, expectedRevision: Int32?, reason: String) {
    self.orderID = orderID
    self.to = to
    self.expectedRevision = expectedRevision
    self.reason = reason
  }
}
