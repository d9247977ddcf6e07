import ComandaProtos
import ComandaRPC
import ComandaTransport
import Foundation
import Testing

private typealias Orders = Comanda_V1_OrderService.Client

/// Calls about orders whose content is refused, or that are repeated.
@Suite("A call about orders", .timeLimit(.minutes(20)))
struct OrderCallTests {
  @Test("with a faulty order is INVALID_ARGUMENT, and names every field at fault")
  func invalidOrder() async throws {
    let error = try await withOrders { orders in
      try await #require(throws: RPCError.self) {
        try await orders.createOrder(
          .init(
            .with {
              $0.currency = "yen"
              $0.customer.email = "nobody"
              $0.notificationChannel = .sms
              $0.items = [
                .with {
                  $0.name = "Margherita"
                  $0.quantityThousandths = 0
                  $0.totalMinor = -1
                },
                .with { $0.quantityThousandths = 1_000 },
              ]
            }))
      }
    }
    #expect(error.code == .invalidArgument)
    #expect(error.reason == "INVALID_FIELDS")
    let violations = try error.errorDetails().violations
    #expect(
      violations.map { "\($0.field) \($0.code)" } == [
        "external_id MISSING", "currency MALFORMED", "customer.email MALFORMED", "items[0].quantity OUT_OF_RANGE",
        "items[0].total OUT_OF_RANGE", "items[1].name MISSING", "items[1].total MISSING", "customer.phone MISSING",
      ])
    for violation in violations {
      #expect(violation.description_p.hasPrefix(violation.field))
      #expect(error.message.contains(violation.description_p))
    }
  }

  @Test("with amounts that do not add up says what they add up to")
  func wrongTotal() async throws {
    let error = try await withOrders { orders in
      try await #require(throws: RPCError.self) {
        var draft = Comanda_V1_OrderDraft.sample(total: 900)
        draft.cost.totalMinor = 901
        _ = try await orders.createOrder(.init(draft))
      }
    }
    let violations = try error.errorDetails().violations
    #expect(violations.map(\.field) == ["cost.total"])
    #expect(violations.map(\.code) == ["MISMATCH"])
    #expect(error.message.contains("900"))
  }

  @Test("that creates one answers a repeated request_id as the first time, and refuses it for another request")
  func requestID() async throws {
    try await withOrders { orders in
      let request = Comanda_V1_CreateOrderRequest(.sample("A-1"), requestID: "first")
      let created = try await orders.createOrder(request)
      #expect(try await orders.createOrder(request) == created)
      let error = try await #require(throws: RPCError.self) {
        try await orders.createOrder(.init(.sample("A-2"), requestID: "first"))
      }
      #expect(error.code == .alreadyExists)
      #expect(error.reason == "REQUEST_ID_REUSED")
      #expect(error.message.contains("request_id"))
      #expect(try await orders.listOrders(.init()).orders.map(\.externalID) == ["A-1"])
    }
  }

  @Test("that creates one answers a repeated external_id with the same order, and refuses it for another content")
  func externalID() async throws {
    try await withOrders { orders in
      let created = try await orders.createOrder(.init(.sample("A-1", total: 900)))
      #expect(try await orders.createOrder(.init(.sample("A-1", total: 900))).orderID == created.orderID)
      let error = try await #require(throws: RPCError.self) {
        try await orders.createOrder(.init(.sample("A-1", total: 950)))
      }
      #expect(error.code == .alreadyExists)
      #expect(error.reason == "ORDER_CONTENT_DIFFERS")
      #expect(try error.errorDetails().metadata["order_id"] == created.orderID)
      let statistics = try await orders.getOrderStatistics(.init())
      #expect(statistics.orders == 1)
      #expect(statistics.totals.map(\.minorUnits) == [900])
    }
  }

  @Test("that lists them goes on with its own page token only")
  func pageToken() async throws {
    let server = try await Server.shared()
    let token = try await withOrders { orders in
      for number in 1...3 { _ = try await orders.createOrder(.init(.sample("A-\(number)"))) }
      var request = Comanda_V1_ListOrdersRequest.with { $0.pageSize = 2 }
      let first = try await orders.listOrders(request)
      request.pageToken = first.nextPageToken
      let second = try await orders.listOrders(request)
      #expect(second.nextPageToken.isEmpty)
      #expect((first.orders + second.orders).map(\.externalID).sorted() == ["A-1", "A-2", "A-3"])

      request.filter.statuses = [.delivered]
      try await expectRefusal(of: request, by: orders)
      try await expectRefusal(of: .with { $0.pageToken = "garbage" }, by: orders)
      return first.nextPageToken
    }
    let stranger = try await Account.make(on: server)
    try await server.withChannel(token: stranger.token) { channel in
      try await expectRefusal(of: .with { $0.pageToken = token }, by: Orders(channel))
    }
  }

  @Test("that moves one where it cannot go names the moves that it can make")
  func illegalMove() async throws {
    try await withOrders { orders in
      let created = try await orders.createOrder(.init(.sample()))
      let error = try await #require(throws: RPCError.self) {
        try await orders.updateOrderStatus(
          .with {
            $0.requestID = "1"
            $0.orderID = created.orderID
            $0.status = .delivered
          })
      }
      #expect(error.code == .failedPrecondition)
      #expect(error.reason == "ILLEGAL_STATUS_CHANGE")
      #expect(try error.errorDetails().metadata["legal_statuses"] == "ACCEPTED,CANCELED")
    }
  }

  private func expectRefusal(of request: Comanda_V1_ListOrdersRequest, by orders: Orders) async throws {
    let error = try await #require(throws: RPCError.self) { try await orders.listOrders(request) }
    #expect(error.code == .invalidArgument)
    #expect(error.reason == "INVALID_PAGE_TOKEN")
    #expect(error.message.contains("page_token"))
  }

  /// Lends calls in a business of the test's own.
  private func withOrders<Result>(_ body: (Orders) async throws -> Result) async throws -> Result {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    return try await server.withChannel(token: account.token) { try await body(Orders($0)) }
  }
}
