import ComandaProtos
import ComandaRPC
import ComandaTransport
import Foundation
import NIOCore
import SwiftProtobuf
import Testing

private typealias Orders = Comanda_V1_OrderService.Client
private typealias OrderMethods = Comanda_V1_OrderService.Method
private typealias Imports = Comanda_V1_BatchImportService.Client

/// Requests that once were defects of the server, or were taken for something else than they say: each ends with the
/// status that names its field, and leaves the log without a word of a failure.
@Suite("A request that breaks a bound", .timeLimit(.minutes(20)))
struct RefusedRequestTests {
  /// A request, and the field and code by which it is refused.
  struct Refused: CustomTestStringConvertible, Sendable {
    let method: MethodDescriptor
    let field: String
    let code: String
    let request: @Sendable (_ order: String) throws -> ByteBuffer

    init(
      _ method: MethodDescriptor, _ field: String, _ code: String,
      _ message: @escaping @Sendable (_ order: String) -> some RPCMessage
    ) {
      (self.method, self.field, self.code) = (method, field, code)
      request = { try message($0).rpcBytes() }
    }

    var testDescription: String { "\(method.name): \(field) \(code)" }
  }

  private static let filters: [(String, String, Comanda_V1_OrderFilter)] = [
    ("filter.customer", "CONTROL_CHARACTER", .with { $0.customer = "a\0b" }),
    ("filter.text", "CONTROL_CHARACTER", .with { $0.text = "abc\0" }),
    ("filter.text", "TOO_LONG", .with { $0.text = String(repeating: "あ", count: 201) }),
    ("filter.import_id", "MALFORMED", .with { $0.importID = "x" }),
    ("filter.statuses[0]", "UNKNOWN_VALUE", .with { $0.statuses = [.UNRECOGNIZED(65_538)] }),
    ("filter.statuses", "TOO_MANY", .with { $0.statuses = Array(repeating: .pending, count: 17) }),
    ("filter.placed_at.end_at", "OUT_OF_RANGE", .with { $0.placedAt.endAt.seconds = 253_402_300_800 }),
    ("filter.placed_at.end_at", "OUT_OF_RANGE", .with { $0.placedAt.endAt.seconds = .max }),
    ("filter.placed_at.start_at", "OUT_OF_RANGE", .with { $0.placedAt.startAt.seconds = -1 }),
    ("filter.placed_at.start_at", "OUT_OF_RANGE", .with { $0.placedAt.startAt.nanos = -1 }),
    (
      "filter.placed_at.end_at", "CONTRADICTION",
      .with {
        $0.placedAt.startAt.seconds = 10
        $0.placedAt.endAt.seconds = 9
      }
    ),
  ]

  static let refused: [Refused] =
    filters.flatMap { field, code, filter in
      [
        Refused(OrderMethods.listOrders, field, code) { _ in Comanda_V1_ListOrdersRequest.with { $0.filter = filter } },
        Refused(OrderMethods.getOrderStatistics, field, code) { _ in
          Comanda_V1_GetOrderStatisticsRequest.with { $0.filter = filter }
        },
      ]
    } + [
      Refused(OrderMethods.getOrder, "external_id", "CONTROL_CHARACTER") { _ in
        Comanda_V1_GetOrderRequest.with { $0.externalID = "A\0" }
      },
      Refused(OrderMethods.getOrder, "external_id", "TOO_LONG") { _ in
        Comanda_V1_GetOrderRequest.with { $0.externalID = String(repeating: "A", count: 12_000) }
      },
      Refused(OrderMethods.updateOrderStatus, "status", "UNKNOWN_VALUE") { order in
        Comanda_V1_UpdateOrderStatusRequest.with {
          $0.requestID = UUID().uuidString
          $0.orderID = order
          $0.status = .UNRECOGNIZED(65_538)
        }
      },
      Refused(OrderMethods.updateOrderStatus, "reason", "CONTROL_CHARACTER") { order in
        Comanda_V1_UpdateOrderStatusRequest.with {
          $0.requestID = UUID().uuidString
          $0.orderID = order
          $0.status = .accepted
          $0.reason = "late\0"
        }
      },
      Refused(OrderMethods.cancelOrder, "reason", "TOO_LONG") { order in
        Comanda_V1_CancelOrderRequest.with {
          $0.requestID = UUID().uuidString
          $0.orderID = order
          $0.reason = String(repeating: "x", count: 501)
        }
      },
      Refused(OrderMethods.createOrder, "items", "TOO_MANY") { _ in
        Comanda_V1_CreateOrderRequest.with { $0.order.items = Array(repeating: .init(), count: 501) }
      },
      Refused(OrderMethods.createOrder, "placed_at", "OUT_OF_RANGE") { _ in
        Comanda_V1_CreateOrderRequest.with {
          $0.order = .sample()
          $0.order.placedAt.seconds = .min
        }
      },
      Refused(OrderMethods.createOrder, "external_id", "SURROUNDING_BLANKS") { _ in
        Comanda_V1_CreateOrderRequest.with { $0.order = .sample("A-1\u{3000}") }
      },
      Refused(Comanda_V1_BatchImportService.Method.listImports, "group", "CONTROL_CHARACTER") { _ in
        Comanda_V1_ListImportsRequest.with { $0.group = "\0" }
      },
      Refused(Comanda_V1_BatchImportService.Method.createImport, "spec.group", "CONTROL_CHARACTER") { _ in
        Comanda_V1_CreateImportRequest.with {
          $0.requestID = UUID().uuidString
          $0.spec.sourceName = "orders.csv"
          $0.spec.group = "\0"
        }
      },
      Refused(Comanda_V1_BatchImportService.Method.createImport, "spec.expected_rows", "OUT_OF_RANGE") { _ in
        Comanda_V1_CreateImportRequest.with {
          $0.requestID = UUID().uuidString
          $0.spec.sourceName = "orders.csv"
          $0.spec.expectedRows = .max
        }
      },
    ]

  @Test("is INVALID_ARGUMENT, and its field is named", arguments: refused)
  func refusal(_ refused: Refused) async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await server.withChannel(token: account.token) { channel in
      let order = try await Orders(channel).createOrder(.init(.sample("A-1")))
      let request = try refused.request(order.orderID)
      let error = try await #require(throws: RPCError.self) {
        try await channel.unary(refused.method, request, options: CallOptions())
      }
      #expect(error.code == .invalidArgument, "\(error)")
      let violations = try error.errorDetails().violations
      #expect(violations.map(\.field) == [refused.field])
      #expect(violations.map(\.code) == [refused.code])
      #expect(error.message.utf8.count < 300)
      let kept = try await Orders(channel).getOrder(.with { $0.orderID = order.orderID })
      #expect(kept == order)
      #expect(try await Orders(channel).listOrders(.init()).orders.count == 1)
    }
    #expect(!server.log.contains("a statement failed"))
  }

  @Test("a page token that was forged from a good one is INVALID_ARGUMENT")
  func forgedPageToken() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await server.withChannel(token: account.token) { channel in
      for number in 0..<2 { _ = try await Orders(channel).createOrder(.init(.sample("A-\(number)"))) }
      let page = try await Orders(channel).listOrders(.with { $0.pageSize = 1 })
      var token = try #require(Data(base64Encoded: page.nextPageToken))
      for place in 8..<16 { token[place] = 0x7F }
      let forged = token.base64EncodedString()
      let error = try await #require(throws: RPCError.self) {
        try await Orders(channel).listOrders(
          .with {
            $0.pageSize = 1
            $0.pageToken = forged
          })
      }
      #expect(error.code == .invalidArgument)
      #expect(error.reason == "INVALID_PAGE_TOKEN")
    }
  }

  @Test("a service of the platform that names the platform as the business is refused")
  func platformAsBusiness() async throws {
    struct TokenLine: Decodable {
      let token: String
    }
    let server = try await Server.shared()
    let line = try await server.administer(
      ["token", "create", "--name", "service", "--kind", "internal"], as: TokenLine.self)
    try await server.withChannel(token: line.token) { channel in
      let options = CallOptions(metadata: ["comanda-business": "00000000-0000-0000-0000-000000000000"])
      let error = try await #require(throws: RPCError.self) {
        try await Orders(channel).createOrder(.init(.sample()), options: options)
      }
      #expect(error.code == .notFound)
      #expect(error.reason == "BUSINESS_NOT_FOUND")
    }
  }

  @Test("both ways to write a letter with an accent name the same order")
  func normalForm() async throws {
    let server = try await Server.shared()
    let account = try await Account.make(on: server)
    try await server.withChannel(token: account.token) { channel in
      let composed = try await Orders(channel).createOrder(.init(.sample("Caf\u{E9}-1")))
      let decomposed = try await Orders(channel).createOrder(.init(.sample("Cafe\u{301}-1")))
      #expect(decomposed.orderID == composed.orderID)
      let found = try await Orders(channel).getOrder(.with { $0.externalID = "Cafe\u{301}-1" })
      #expect(found.orderID == composed.orderID)
    }
  }
}
