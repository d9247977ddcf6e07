/// An order as the platform keeps it.
public struct Order: Hashable, Sendable {
  /// The platform's id.
  public let id: OrderID
  /// Whose it is.
  public let businessID: BusinessID
  /// Where it is in its life.
  public let status: OrderStatus
  /// Counts the changes, from 1; what an etag is made of.
  public let revision: Int32
  /// What was ordered, as it was accepted.
  public let content: ValidatedOrder
  /// Which import brought it, if one did.
  public let origin: ImportOrigin?
  /// When the platform received it.
  public let createdAt: Timestamp
  /// When it last changed.
  public let updatedAt: Timestamp

  /// Makes an order as it was stored.
  public init(
    id: OrderID, businessID: BusinessID, status: OrderStatus, revision: Int32, content: ValidatedOrder,
    origin: ImportOrigin?, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.businessID = businessID
    self.status = status
    self.revision = revision
    self.content = content
    self.origin = origin
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}

/// The row of an import that an order came from.
public struct ImportOrigin: Hashable, Sendable {
  /// The import.
  public let importID: ImportID
  /// The row's number, from 1.
  public let row: Int64

  /// Makes an origin.
  public init(importID: ImportID, row: Int64) {
    self.importID = importID
    self.row = row
  }
}

/// One entry of an order's history, which is never changed.
public struct OrderEvent: Hashable, Sendable {
  /// Its place among all changes of the business: gap-free, in the order of commits.
  public let sequence: Int64
  /// The order that changed.
  public let orderID: OrderID
  /// The order's revision that the change made.
  public let revision: Int32
  /// Where the order was; nil for its creation.
  public let from: OrderStatus?
  /// Where it went.
  public let to: OrderStatus
  /// When.
  public let at: Timestamp
  /// Who.
  public let actor: TokenID
  /// Why, in the words of who did it; empty when nothing was said.
  public let reason: String

  /// Makes an entry as it was stored.
  public init(
    sequence: Int64, orderID: OrderID, revision: Int32, from: OrderStatus?, to: OrderStatus, at: Timestamp,
    actor: TokenID, reason: String
  ) {
    self.sequence = sequence
    self.orderID = orderID
    self.revision = revision
    self.from = from
    self.to = to
    self.at = at
    self.actor = actor
    self.reason = reason
  }
}

/// Orders of one business, counted and added up by the store.
public struct OrderStatistics: Hashable, Sendable {
  /// How many orders there are.
  public let orders: Int64
  /// How many item lines they have.
  public let items: Int64
  /// Orders by status; a status without orders is left out.
  public let byStatus: [OrderStatus: Int64]
  /// The orders' totals by currency, in minor units; the largest `Int64` where the sum is larger.
  public let totals: [Currency: Int64]

  /// Makes statistics.
  public init(orders: Int64, items: Int64, byStatus: [OrderStatus: Int64], totals: [Currency: Int64]) {
    self.orders = orders
    self.items = items
    self.byStatus = byStatus
    self.totals = totals
  }
}
