/// Where an order is in its life.
///
/// ```
/// PENDING → ACCEPTED → PREPARING → READY → OUT_FOR_DELIVERY → DELIVERED      (delivery)
/// PENDING → ACCEPTED → PREPARING → READY ───────────────────→ DELIVERED      (pickup)
///    └─────────┴───────────┴─────────┴──→ CANCELED
/// ```
public enum OrderStatus: Int16, Hashable, Sendable, CaseIterable {
  /// Received, not yet looked at.
  case pending = 1
  /// The kitchen takes it.
  case accepted = 2
  /// Being made.
  case preparing = 3
  /// Waits for the courier or the customer.
  case ready = 4
  /// With the courier; cannot be canceled any more.
  case outForDelivery = 5
  /// With the customer. Final.
  case delivered = 6
  /// Called off. Final.
  case canceled = 7

  /// The statuses that an order may go to from here, in ascending order; empty when this one is final.
  ///
  /// - Parameter isPickup: Whether the customer fetches the order, so that no courier carries it.
  public func legalMoves(isPickup: Bool) -> [OrderStatus] {
    switch self {
    case .pending: [.accepted, .canceled]
    case .accepted: [.preparing, .canceled]
    case .preparing: [.ready, .canceled]
    case .ready: isPickup ? [.delivered, .canceled] : [.outForDelivery, .canceled]
    case .outForDelivery: [.delivered]
    case .delivered, .canceled: []
    }
  }

  /// Checks one move.
  public func checkMove(to next: OrderStatus, isPickup: Bool) throws(IllegalMove) {
    let legal = legalMoves(isPickup: isPickup)
    guard legal.contains(next) else { throw IllegalMove(from: self, to: next, legal: legal) }
  }
}

extension OrderStatus: SchemaNamed {
  /// The name in the schema.
  public var schemaName: String {
    switch self {
    case .pending: "PENDING"
    case .accepted: "ACCEPTED"
    case .preparing: "PREPARING"
    case .ready: "READY"
    case .outForDelivery: "OUT_FOR_DELIVERY"
    case .delivered: "DELIVERED"
    case .canceled: "CANCELED"
    }
  }
}

/// A move that an order's life does not allow.
public struct IllegalMove: Error, Hashable, Sendable {
  /// Where the order is.
  public let from: OrderStatus
  /// Where it was to go.
  public let to: OrderStatus
  /// Where it may go.
  public let legal: [OrderStatus]

  /// Makes the error of a move.
  public init(from: OrderStatus, to: OrderStatus, legal: [OrderStatus]) {
    self.from = from
    self.to = to
    self.legal = legal
  }
}

extension IllegalMove: CustomStringConvertible {
  /// What was wrong and what would be right.
  public var description: String {
    guard !legal.isEmpty else {
      return "the order is \(from.schemaName), which is final; it cannot become \(to.schemaName)"
    }
    return "an order that is \(from.schemaName) cannot become \(to.schemaName); "
      + "it may become \(listed(legal.map(\.schemaName), last: "or"))"
  }
}
