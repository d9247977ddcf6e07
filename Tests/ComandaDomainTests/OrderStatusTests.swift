import ComandaDomain
import Testing

@Suite("The life of an order")
struct OrderStatusTests {
  /// Every legal move of an order that is delivered, and of one that is fetched.
  private static let moves: [Bool: Set<[OrderStatus]>] = [
    false: [
      [.pending, .accepted], [.accepted, .preparing], [.preparing, .ready], [.ready, .outForDelivery],
      [.outForDelivery, .delivered], [.pending, .canceled], [.accepted, .canceled], [.preparing, .canceled],
      [.ready, .canceled],
    ],
    true: [
      [.pending, .accepted], [.accepted, .preparing], [.preparing, .ready], [.ready, .delivered],
      [.outForDelivery, .delivered], [.pending, .canceled], [.accepted, .canceled], [.preparing, .canceled],
      [.ready, .canceled],
    ],
  ]

  @Test("of all pairs of statuses exactly the legal moves are allowed", arguments: [false, true])
  func allPairs(_ isPickup: Bool) throws {
    let legal = try #require(Self.moves[isPickup])
    for from in OrderStatus.allCases {
      for to in OrderStatus.allCases {
        let allowed = (try? from.checkMove(to: to, isPickup: isPickup)) != nil
        #expect(allowed == legal.contains([from, to]), "\(from) → \(to)")
      }
    }
  }

  @Test("an illegal move names the legal ones")
  func messages() {
    #expect(throws: IllegalMove(from: .pending, to: .ready, legal: [.accepted, .canceled])) {
      try OrderStatus.pending.checkMove(to: .ready, isPickup: false)
    }
    #expect(
      IllegalMove(from: .ready, to: .accepted, legal: [.outForDelivery, .canceled]).description
        == "an order that is READY cannot become ACCEPTED; it may become OUT_FOR_DELIVERY or CANCELED")
    #expect(
      IllegalMove(from: .delivered, to: .pending, legal: []).description
        == "the order is DELIVERED, which is final; it cannot become PENDING")
  }

  @Test("numbers of statuses, methods, channels, states and outcomes are those that are stored")
  func numbers() {
    #expect(OrderStatus.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7])
    #expect(PaymentMethod.allCases.map(\.rawValue) == [1, 2])
    #expect(NotificationChannel.allCases.map(\.rawValue) == [1, 2, 3, 4])
    #expect(ImportState.allCases.map(\.rawValue) == [1, 2, 3, 4, 9])
    #expect(ImportState.allCases.filter(\.isFinal) == [.completed, .canceled])
    #expect(RowOutcome.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
  }

  @Test("names are those of the schema")
  func names() {
    #expect(
      OrderStatus.allCases.map(\.schemaName).joined(separator: " ")
        == "PENDING ACCEPTED PREPARING READY OUT_FOR_DELIVERY DELIVERED CANCELED")
    #expect(PaymentMethod.allCases.map(\.schemaName) == ["CREDIT_CARD", "CASH"])
    #expect(NotificationChannel.allCases.map(\.schemaName) == ["NONE", "PUSH", "EMAIL", "SMS"])
    #expect(ImportState.allCases.map(\.schemaName) == ["RECEIVING", "APPLYING", "COMPLETED", "CANCELED", "FAULTED"])
    #expect(RowOutcome.allCases.map(\.schemaName) == ["WAITING", "APPLIED", "UNCHANGED", "FAILED", "UNPROCESSED"])
  }
}
